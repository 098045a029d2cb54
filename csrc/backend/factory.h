// Availability and creation of backends.
#pragma once

#include <optional>

#include "backend/backend.h"

namespace ioengine {

// Really creates the backend's kernel object and probes the operations that it needs, then gives it back.
// `backend` in the result is null either way; error_number is 0 when it is available. Blocks for well under a
// millisecond.
BackendResult probe_backend(BackendType type);

// The backend chosen, and for backend().reason why: "asked for by name", or the failures of those before it
// in automatic choice, followed by "first of uring, aio, threads that is available".
struct Choice {
  BackendResult result;
  std::string reason;
};

// Creates the backend of that type, or with no type the first that works of uring, aio, threads. A type named
// by the caller never falls back: the result then says what is wrong.
Choice create_backend(uint32_t depth, std::optional<BackendType> type, int wake_fd);

}  // namespace ioengine
