#include "backend/threads/job_queues.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"

namespace ioengine {

JobQueues::JobQueues(size_t processors)
    : processors_(std::min(std::max<size_t>(processors, 1), limits::pool_threads)),
      wide_(limits::pool_threads) {
  queues_.push_back(std::make_unique<JobQueue>());
}

JobQueue* JobQueues::queue_of(const Request* request) {
  while (queues_.size() <= request->mount_queue) {
    queues_.push_back(std::make_unique<JobQueue>());
    queues_.back()->allowed = limits::mount_threads_first;
  }
  return queues_[request->mount_queue].get();
}

void JobQueues::append(Request* request) {
  JobQueue* queue = queue_of(request);
  request->next = nullptr;
  (queue->tail != nullptr ? queue->tail->next : queue->head) = request;
  queue->tail = request;
  ++waiting_;
}

Request* JobQueues::pop(JobQueue* queue) {
  Request* request = queue->head;
  queue->head = request->next;
  if (queue->head == nullptr) queue->tail = nullptr;
  request->next = nullptr;
  --waiting_;
  return request;
}

// A mount's first threads are there for it even when others hold all that they may; and local files have room
// left in any case.
bool JobQueues::may_run(size_t queue) const {
  const JobQueue& jobs = *queues_[queue];
  if (jobs.empty()) return false;
  if (queue == 0) return counted() < width() && local().running < limits::local_threads_max;
  if (jobs.running >= jobs.allowed) return false;
  const bool among_first = jobs.running < limits::mount_threads_first;
  return remote_running_ < limits::mounts_threads_max + (among_first ? limits::mount_threads_reserve : 0);
}

bool JobQueues::may_take() const {
  if (waiting_ == 0) return false;
  for (size_t i = 0; i < queues_.size(); ++i) {
    if (may_run(i)) return true;
  }
  return false;
}

Request* JobQueues::take() {
  if (waiting_ == 0) return nullptr;
  for (size_t i = 0; i < queues_.size(); ++i) {
    if (++turn_ >= queues_.size()) turn_ = 0;
    if (!may_run(turn_)) continue;
    JobQueue* queue = queues_[turn_].get();
    ++queue->running;
    ++running_;
    if (turn_ != 0) ++remote_running_;
    return pop(queue);
  }
  return nullptr;
}

void JobQueues::ended(const Request* request, bool counted, uint64_t took_ns) {
  JobQueue* queue = queue_of(request);
  IOE_CHECK(queue->running > 0);
  --queue->running;
  --running_;
  if (request->mount_queue == 0) {
    if (!counted) --queue->stuck;
    if (took_ns > limits::short_job_ns) {
      slow_ = limits::wide_jobs;
    } else if (slow_ > 0) {
      --slow_;
    }
    return;
  }
  --remote_running_;
  // A mount that has had nothing to do begins with a few again: it may have died meanwhile.
  if (queue->running == 0 && queue->empty()) queue->allowed = limits::mount_threads_first;
  if (!queue->empty() && queue->allowed < limits::mount_threads_max) ++queue->allowed;
}

bool JobQueues::declare_stuck(const Request* request) {
  if (request->mount_queue != 0) return false;
  ++queues_[0]->stuck;
  return true;
}

Request* JobQueues::take_waiting() {
  Request* first = nullptr;
  Request** link = &first;
  for (auto& queue : queues_) {
    *link = queue->head;
    if (queue->tail != nullptr) link = &queue->tail->next;
    queue->head = queue->tail = nullptr;
  }
  waiting_ = 0;
  return first;
}

Request* JobQueues::take_waiting(Wanted wanted, const void* argument) {
  for (auto& queue : queues_) {
    Request* before = nullptr;
    for (Request* request = queue->head; request != nullptr; before = request, request = request->next) {
      if (!wanted(request, argument)) continue;
      (before != nullptr ? before->next : queue->head) = request->next;
      if (queue->tail == request) queue->tail = before;
      request->next = nullptr;
      --waiting_;
      return request;
    }
  }
  return nullptr;
}

}  // namespace ioengine
