// The plain system calls behind each operation, as a pool thread runs them.
#pragma once

#include "backend/request.h"

namespace ioengine {

// Runs one attempt of the request and returns bytes, a descriptor, 0 or -errno. Waits as long as the device
// does.
int32_t execute_request(Request* request);

}  // namespace ioengine
