// The end of a descriptor, of the process and of the thread: waiting until what was accepted has settled, and
// cancelling what has not begun.

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>

#include "backend/threads/execute.h"
#include "jobs/resumable_job.h"
#include "scheduler/bounce.h"
#include "scheduler/context.h"

namespace ioengine {

template <typename Done>
void IoContext::wait_until(Done done, ThreadPool::Wanted awaited, const void* argument) {
  constexpr int kPollTimeout_ms = 100;  // a safety net: the wake-up is expected to come
  blocking_ = true;
  end_first_looks();
  while (!done()) {
    inline_lane_.start_turn();
    round();
    if (done()) break;
    if (awaited != nullptr && run_queued(awaited, argument)) continue;
    if (can_start_more()) continue;
    if (arm_wake()) continue;
    pollfd wake_up = {wake_fd_, POLLIN, 0};
    poll(&wake_up, 1, kPollTimeout_ms);
    eventfd_t count;
    eventfd_read(wake_fd_, &count);
  }
  blocking_ = false;
}

// What this thread waits for and no thread of the pool has started is carried out here: the pool may be full
// of calls that wait for someone else, a server that is gone for one. One at a time, so that free threads
// help.
bool IoContext::run_queued(ThreadPool::Wanted awaited, const void* argument) {
  Request* request = threads_->take_queued(awaited, argument);
  if (request == nullptr) return false;
  complete(request, execute_request(request));
  return true;
}

bool IoContext::settle_descriptor(int fd) {
  Descriptor* descriptor = descriptors_.find(fd);
  if (descriptor == nullptr) return true;
  if (descriptor->keeps_number) return false;
  if (descriptor->pending == 0) return true;
  ++descriptor->pending;  // keeps the object while we look at it
  wait_until([descriptor] { return descriptor->pending == 1; },
             [](const Request* request, const void* wanted) { return request->descriptor == wanted; },
             descriptor);
  --descriptor->pending;
  descriptors_.release(descriptor);
  return true;
}

void IoContext::settle_writes() {
  ending_jobs_.store(true, std::memory_order_relaxed);
  wait_until([this] { return unsettled_writes_ == 0; },
             [](const Request* request, const void*) {
               return request->awaited && changes_file(request->operation);
             },
             nullptr);
}

// Requests that no lane has started yet are given up; node cancels them too when an environment ends. A close
// is carried out all the same: nobody else will, but for a number of node's.
void IoContext::cancel(Request* request) {
  if (request->tags != 0) release_tags(request);
  if (request->parts != nullptr) return complete_merged(request, -ECANCELED);
  if (request->operation == Operation::kReadMounts) return learn_mounts(request, -ECANCELED);
  if (unfinished_job(request) != nullptr) return cancel_job(request);
  if (request->bounce != nullptr) detach_bounce(request, -ECANCELED);
  const bool closes = request->operation == Operation::kClose && !request->has(kFlagKeepNumber);
  settle(request, closes ? execute_request(request) : -ECANCELED);
}

void IoContext::cancel_queued() {
  while (Request* request = cached_.pop()) cancel(request);
  while (Request* request = unstaged_.pop()) cancel(request);
  while (Request* request = unplaced_.pop()) cancel(request);
  device_queues_.for_each([this](DeviceQueue* queue) {
    while (Request* request = queue->pop()) cancel(request);
  });
  while (Request* request = ready_.pop()) cancel(request);
  Request* queued = threads_->take_queued();
  while (queued != nullptr) {
    Request* request = queued;
    queued = request->next;
    request->next = nullptr;
    cancel(request);
  }
}

void IoContext::drain() {
  stopping_ = true;
  ending_jobs_.store(true, std::memory_order_relaxed);
  cancel_queued();
  wait_until([this] { return in_flight() == 0; }, nullptr, nullptr);
  descriptors_.for_each([this](Descriptor* descriptor) {
    ++descriptor->pending;
    while (Request* request = descriptor->waiting.pop()) {
      descriptor->enter(request);
      cancel(request);
    }
    --descriptor->pending;
  });
}

}  // namespace ioengine
