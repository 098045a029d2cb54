// Availability and creation of backends.
#pragma once

#include <optional>

#include "backend/backend.h"

namespace ioengine {

// A ring is really made, asked for the operations that it needs, and given back; an AIO context is not, since
// the end of a process that had one takes 40 ms. `backend` in the result is null either way; error_number is
// 0 when it is available. Blocks for well under a millisecond.
BackendResult probe_backend(BackendType type);

// The backend chosen, and for backend().reason why: "asked for by name", or the failures of those before it
// in automatic choice, followed by "first of uring, aio, threads that is available".
struct Choice {
  BackendResult result;
  std::string reason;
};

// The backend of that type, or with no type the first of uring, aio, threads that the kernel allows. A type
// named by the caller never falls back: the result then says what is wrong. No ring and no AIO context exist
// before the first request that needs one (backend/deferred_backend.h).
Choice create_backend(uint32_t depth, std::optional<BackendType> type, int wake_fd);

}  // namespace ioengine
