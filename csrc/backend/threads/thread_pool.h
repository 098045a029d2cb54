// A small pool of plain threads, started on demand, that runs requests with blocking system calls.
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <cstddef>

#include "backend/request.h"
#include "base/spin.h"

namespace ioengine {

class ThreadPool {
 public:
  using Execute = int32_t (*)(Request*);
  // Of a request that has just been executed: true if it is to be executed again, behind what is queued by
  // now.
  using ShouldResume = bool (*)(const Request*);

  // `wake_fd`: eventfd written to when a request has finished and the owner has armed the wake-up.
  ThreadPool(size_t threads_max, int wake_fd, Execute execute, ShouldResume should_resume = nullptr);

  // Joins every thread; requires that nothing is queued or running (H10).
  ~ThreadPool();

  // Any number of requests, linked through `next`; takes them all.
  void push(Request* first, Request* last, size_t count);

  // Takes back what no thread has started, linked through `next` (teardown).
  Request* take_queued();
  // The first of those that `wanted` accepts, or null.
  using Wanted = bool (*)(const Request* request, const void* argument);
  Request* take_queued(Wanted wanted, const void* argument);

  // Requests that a thread is running now.
  size_t running() const { return running_.load(std::memory_order_relaxed); }

  // Finished requests, oldest first, linked through `next`, with `result` set; null when there are none.
  Request* take_finished();
  // Sequentially consistent: after arm_wake(), either this sees a finished request or its thread sees the
  // wish.
  bool has_finished() const { return finished_count_.load(std::memory_order_seq_cst) != 0; }

  bool may_spin() const { return may_spin_; }
  // Waits without sleeping until something is finished, but no longer than `most_ns`: whether it is. To be
  // called when the wake-up is not armed.
  bool spin(uint64_t most_ns) const;

  void arm_wake() { wake_wanted_.store(true, std::memory_order_seq_cst); }
  void disarm_wake() { wake_wanted_.store(false, std::memory_order_relaxed); }

 private:
  static void* thread_main(void* self);
  void run();
  void start_thread();
  bool calls_one();
  void append(Request* first, Request* last, size_t count);
  bool wait_for_work(SpinPolicy* policy, bool was_short);
  void run_here();
  void finish(Request* request);

  const size_t threads_max_;
  const int wake_fd_;
  const Execute execute_;
  const ShouldResume should_resume_;

  pthread_mutex_t mutex_;
  sem_t calls_;  // not a condition variable: glibc before 2.41 may lose a signal (its bug 25847)
  Request* queue_head_ = nullptr;
  Request* queue_tail_ = nullptr;
  std::atomic<size_t> queued_{0};  // changes with mutex_ held
  size_t idle_ = 0;
  bool spinning_ = false;  // an idle thread looks for work and needs no call
  const bool may_spin_;
  bool coming_ = false;  // a thread has been called and has not looked at the queue yet
  std::atomic<size_t> running_{0};
  bool stopping_ = false;

  pthread_mutex_t finished_mutex_;
  Request* finished_head_ = nullptr;
  Request* finished_tail_ = nullptr;
  std::atomic<size_t> finished_count_{0};
  std::atomic<bool> wake_wanted_{false};

  pthread_t* threads_;
  size_t thread_count_ = 0;
};

}  // namespace ioengine
