#include "backend/threads/threads_backend.h"

#include <sched.h>

#include "backend/threads/execute.h"
#include "base/check.h"
#include "base/limits.h"

namespace ioengine {
namespace {

// That this process may use (taskset, cpusets).
size_t processors() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<size_t>(CPU_COUNT(&set)) : 1;
}

}  // namespace

BackendResult ThreadsBackend::create(uint32_t depth, int wake_fd) {
  BackendResult result;
  result.backend = std::make_unique<ThreadsBackend>(depth, wake_fd);
  return result;
}

ThreadsBackend::ThreadsBackend(uint32_t depth, int wake_fd)
    : pool_(processors(), wake_fd, execute_request, should_resume) {
  capabilities_.depth = depth;
  capabilities_.buffered_reads = true;
  capabilities_.buffered_writes = true;
  for (size_t i = 0; i < kOperationCount; ++i) capabilities_.add(static_cast<Operation>(i));
}

// Behind what came before.
size_t ThreadsBackend::submit(Request* const* requests, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    requests[i]->next = newest_;
    if (newest_ == nullptr) oldest_ = requests[i];
    newest_ = requests[i];
    // What is about a mount of its own is a batch of its own: the pool looks at the newest.
    if (requests[i]->mount_queue != 0) {
      hand_over();
      ++remote_in_flight_;
    }
  }
  in_flight_ += count;
  flush();
  return count;
}

void ThreadsBackend::forget(const Request* request) {
  --in_flight_;
  if (request->mount_queue != 0) --remote_in_flight_;
}

void ThreadsBackend::hand_over() {
  pool_.push(newest_, oldest_);
  newest_ = oldest_ = nullptr;
  later_ = 0;
}

size_t ThreadsBackend::reap(Completion* into, size_t capacity) {
  size_t count = 0;
  while (count < capacity) {
    if (finished_ == nullptr) finished_ = pool_.take_finished();
    if (finished_ == nullptr) break;
    Request* request = finished_;
    finished_ = request->next;
    request->next = nullptr;
    if (request->mount_queue != 0) --remote_in_flight_;
    into[count++] = {request, request->result};
  }
  IOE_CHECK(count <= in_flight_);
  in_flight_ -= count;
  return count;
}

Request* ThreadsBackend::take_queued() {
  flush();
  Request* first = pool_.take_queued();
  for (Request* request = first; request != nullptr; request = request->next) forget(request);
  return first;
}

Request* ThreadsBackend::take_queued(ThreadPool::Wanted wanted, const void* argument) {
  if (in_flight_ == 0) return nullptr;
  flush();
  Request* request = pool_.take_queued(wanted, argument);
  if (request != nullptr) forget(request);
  return request;
}

bool ThreadsBackend::arm_wake() {
  if (in_flight_ == 0) return false;
  flush();
  pool_.arm_wake();
  return finished_ != nullptr || pool_.has_announced();
}

}  // namespace ioengine
