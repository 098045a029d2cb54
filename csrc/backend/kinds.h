// What the factory and a deferred backend do with each kind of backend, by its type.
#pragma once

#include <string>

#include "backend/backend.h"

namespace ioengine {

// Makes the ring, the context or the pool.
BackendResult make_backend(BackendType type, uint32_t depth, int wake_fd);

// Whether the kernel allows it, found out without making anything: `backend` in the result is null either
// way. What only the making shows (locked memory, a filter on io_uring_register) is not found out.
BackendResult look_for_backend(BackendType type, uint32_t depth);

// What it can do once it is made, as far as that is known before.
Capabilities expected_capabilities(BackendType type, uint32_t depth);

std::string describe_failure(BackendType type, const BackendResult& result);

// True for a lack of descriptors that the process feels now and that may have passed by the next call. A
// sandbox may answer EMFILE too: there others can still be had.
bool lacks_descriptors(int error_number, int wake_fd);

}  // namespace ioengine
