// What waits for a thread of the pool: a queue for local files, one for each remote mount, one for each
// path or folder that seems to be on one (a link leads there, which a path does not tell), and turns between
// them. Says what may run, so that no filesystem takes more threads than it can use.
//
// Local files have as many threads as there are processors while jobs are short, because they are: what is
// cached only computes. Where jobs wait for a device there are more (limits::pool_threads), and one that
// has not come back after limits::stuck_ns is not counted any more. A remote mount begins with a few threads,
// and gets one more with each job that it ends while others wait; so one that answers slowly has many in
// flight, and one that does not answer keeps the few.
//
// Not thread-safe: the pool's lock is held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/request.h"
#include "base/limits.h"

namespace ioengine {

struct JobQueue {
  Request* head = nullptr;
  Request* tail = nullptr;
  size_t running = 0;
  size_t stuck = 0;     // of those, not counted
  size_t allowed = 0;   // of a remote mount, how many may run
  std::string suspect;  // of a suspect one: the path that it is about, and what is below; else empty

  bool empty() const { return head == nullptr; }
};

class JobQueues {
 public:
  explicit JobQueues(size_t processors);

  void append(Request* request);
  // The next request that may run, which counts as running until ended(). Null: nothing may.
  Request* take();
  bool may_take() const;
  // More local look-ups for the thread that has just taken one: its share of what waits, at most
  // limits::batch_jobs with that one. They count as waiting for a thread until batch_ended(). How many.
  size_t take_batch(Request** into);
  void batch_ended(size_t count) { in_batches_ -= count; }
  // To the front, in this order: nobody has begun them.
  void put_back(Request* const* requests, size_t count);
  size_t in_batches() const { return in_batches_; }
  // The next local request is no look-up: those that were asked for before it are to be begun first.
  bool keeps_order() const { return !local().empty() && !local().head->batchable; }
  // A request that take() gave has ended. `counted`: not declared stuck. `was_short`: it waited for no
  // device.
  void ended(const Request* request, bool counted, bool was_short);
  // One that runs has not come back: it waits for a device, and others will. False where that changes
  // nothing: a remote mount's jobs always count.
  bool declare_stuck(const Request* request);
  // It has not come back for limits::suspect_ns: from now on it is no local one. `counted`: not declared
  // stuck.
  void suspect(Request* request, bool counted);

  bool empty() const { return waiting_ == 0; }
  bool local_waits() const { return !local().empty() || in_batches_ > 0; }
  size_t running() const { return running_; }
  // Whatever runs is about local files, and no such job has waited for a device lately.
  bool are_short() const { return slow_ == 0 && remote_running_ == 0; }
  size_t width() const { return slow_ > 0 ? wide_ : processors_; }
  // Of local files, without those that are stuck.
  size_t counted() const { return local().running - local().stuck; }

  bool local_may_run() const { return may_run(0); }
  bool has_width() const { return counted() < width() && local().running < limits::local_threads_max; }

  // Everything that waits, in the order of the queues, linked through `next`.
  Request* take_waiting();
  // The same of local files.
  Request* take_waiting_local();
  // The first of those that `wanted` accepts, or null.
  using Wanted = bool (*)(const Request* request, const void* argument);
  Request* take_waiting(Wanted wanted, const void* argument);

 private:
  JobQueue* queue_of(const Request* request);
  JobQueue* suspect_of(Request* request);
  uint16_t add_suspect(std::string_view path);
  void move_waiting();
  size_t queues() const { return queues_.size() + suspects_.size(); }
  JobQueue* queue_at(size_t index) const {
    return index < queues_.size() ? queues_[index].get() : suspects_[index - queues_.size()].get();
  }
  const JobQueue& local() const { return *queues_[0]; }
  bool may_run(size_t queue) const;
  Request* pop(JobQueue* queue);

  const size_t processors_;
  const size_t wide_;
  std::vector<std::unique_ptr<JobQueue>> queues_;    // by Request::mount_queue; 0 is that of local files
  std::vector<std::unique_ptr<JobQueue>> suspects_;  // by Request::suspect, from 1 on
  size_t suspect_count_ = 0;                         // of those, in use
  size_t turn_ = 0;
  size_t waiting_ = 0;
  size_t in_batches_ = 0;
  size_t running_ = 0;
  size_t remote_running_ = 0;
  uint32_t slow_ = 0;  // jobs of local files are to be short so often before the pool is narrow again
};

}  // namespace ioengine
