#include "backend/threads/threads_backend.h"

#include "backend/threads/execute.h"
#include "base/check.h"
#include "base/limits.h"

namespace ioengine {

BackendResult ThreadsBackend::create(uint32_t depth, int wake_fd) {
  BackendResult result;
  result.backend = std::make_unique<ThreadsBackend>(depth, wake_fd);
  return result;
}

ThreadsBackend::ThreadsBackend(uint32_t depth, int wake_fd)
    : pool_(limits::pool_threads, wake_fd, execute_request, should_resume) {
  capabilities_.depth = depth;
  capabilities_.buffered_reads = true;
  capabilities_.buffered_writes = true;
  for (size_t i = 0; i < kOperationCount; ++i) capabilities_.add(static_cast<Operation>(i));
}

size_t ThreadsBackend::submit(Request* const* requests, size_t count) {
  if (count == 0) return 0;
  for (size_t i = 0; i + 1 < count; ++i) requests[i]->next = requests[i + 1];
  requests[count - 1]->next = nullptr;
  in_flight_ += count;
  pool_.push(requests[0], requests[count - 1], count);
  return count;
}

size_t ThreadsBackend::reap(Completion* into, size_t capacity) {
  size_t count = 0;
  while (count < capacity) {
    if (finished_ == nullptr) finished_ = pool_.take_finished();
    if (finished_ == nullptr) break;
    Request* request = finished_;
    finished_ = request->next;
    request->next = nullptr;
    into[count++] = {request, request->result};
  }
  IOE_CHECK(count <= in_flight_);
  in_flight_ -= count;
  return count;
}

Request* ThreadsBackend::take_queued() {
  Request* first = pool_.take_queued();
  for (Request* request = first; request != nullptr; request = request->next) --in_flight_;
  return first;
}

Request* ThreadsBackend::take_queued(ThreadPool::Wanted wanted, const void* argument) {
  if (in_flight_ == 0) return nullptr;
  Request* request = pool_.take_queued(wanted, argument);
  if (request != nullptr) --in_flight_;
  return request;
}

bool ThreadsBackend::arm_wake() {
  if (in_flight_ == 0) return false;
  pool_.arm_wake();
  return finished_ != nullptr || pool_.has_finished();
}

}  // namespace ioengine
