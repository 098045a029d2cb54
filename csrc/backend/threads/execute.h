// The plain system calls behind each operation, as a pool thread runs them.
#pragma once

#include "backend/request.h"
#include "jobs/resumable_job.h"

namespace ioengine {

// A request with `open` set that is no open carries the classification of its descriptor: the facts go there,
// and the result is kUnsupported or kNeedsRouting where it cannot be run as it is. Runs one attempt of the
// request and returns bytes, a descriptor, 0 or -errno. Waits as long as the device does.
int32_t execute_request(Request* request);

// The job of a request that has begun and has more to do, null for any other.
inline ResumableJob* unfinished_job(const Request* request) {
  return request->job != nullptr ? request->job->unfinished() : nullptr;
}

// Whether an executed request is a job with more to do, which is not about to be cancelled.
bool should_resume(const Request* request);

}  // namespace ioengine
