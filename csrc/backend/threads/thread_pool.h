// A pool of plain threads, started on demand, that runs requests with blocking system calls.
//
// The owner hands requests over and takes them back without a lock; the threads share the queues behind one.
// A thread that takes a request calls the next one if there is more to take, so that no request waits behind
// a slow one while a thread may run it, and short ones do not wake every thread. Of look-ups it takes several
// at once (batch.h), and others take back what it has not begun. While anything waits one idle thread
// watches: it wakes up every now and then, and finds out which jobs do not come back.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <memory>

#include "backend/request.h"
#include "backend/threads/batch.h"
#include "backend/threads/job_queues.h"
#include "backend/threads/request_stack.h"
#include "base/limits.h"
#include "base/semaphore.h"
#include "base/spin.h"

namespace ioengine {

class ThreadPool {
 public:
  using Execute = int32_t (*)(Request*);
  // Of a request that has just been executed: true if it is to be executed again, behind what is queued by
  // now.
  using ShouldResume = bool (*)(const Request*);

  // `processors`: how many jobs of local files run at once while they are short. `wake_fd`: eventfd written
  // to when a request has finished and the owner has armed the wake-up. `idle_ns`: a thread ends that has had
  // nothing to do for so long.
  ThreadPool(size_t processors, int wake_fd, Execute execute, ShouldResume should_resume = nullptr,
             uint64_t idle_ns = limits::idle_thread_ns);

  // Joins every thread; requires that nothing is queued or running (H10).
  ~ThreadPool();

  // Any number of requests, linked through `next` with the newest first; takes them all.
  void push(Request* newest, Request* oldest);

  // Takes back what no thread has started, linked through `next` (teardown).
  Request* take_queued();
  // The first of those that `wanted` accepts, or null.
  using Wanted = JobQueues::Wanted;
  Request* take_queued(Wanted wanted, const void* argument);

  // Requests that a thread is running now.
  size_t running() const { return running_.load(std::memory_order_relaxed); }
  // Threads there are.
  size_t threads() const { return thread_count_.load(std::memory_order_relaxed); }

  // Finished requests, oldest first, linked through `next`, with `result` set; null when there are none.
  Request* take_finished() {
    announced_.store(false, std::memory_order_seq_cst);
    return finished_.take_all();
  }
  // After arm_wake() either this is true of what has finished and is to be taken now, or its thread sees the
  // wish.
  bool has_announced() const { return announced_.load(std::memory_order_seq_cst); }
  bool has_finished() const { return !finished_.empty(); }

  bool may_spin() const { return may_spin_; }
  // Waits without sleeping until something is finished, but no longer than `most_ns`: whether it is. To be
  // called when the wake-up is not armed.
  bool spin(uint64_t most_ns) const;

  void arm_wake() { wake_wanted_.store(true, std::memory_order_seq_cst); }
  void disarm_wake() { wake_wanted_.store(false, std::memory_order_relaxed); }

 private:
  struct Worker {
    ThreadPool* pool = nullptr;
    pthread_t thread = {};
    bool started = false;  // to be joined
    bool ended = false;
    bool counted = false;  // its job has not been declared stuck
    // At the last look of the one that watches: the job, and what the thread had used of a processor.
    uint64_t jobs_seen = 0;
    uint64_t cpu_seen = 0;
    uint64_t seen_ns = 0;
    uint64_t computed_ns = 0;     // when it was seen to compute last
    SpinPolicy policy;            // of this thread's waits for work
    bool was_short_wait = false;  // the last of them
    long sleeps = 0;              // how often it had slept when that was asked for last

    // What it does meanwhile others look at with the lock held, and it changes without.
    std::atomic<uint64_t> jobs{0};        // that it has begun
    std::atomic<uint64_t> started_ns{0};  // when it began the last
    RunningRequest running;
    Batch batch;
    size_t batch_size = 0;  // without what others have taken back; 0: it is over
    size_t finished = 0;    // jobs of the batch of which the owner has not been told
  };

  static void* thread_main(void* worker);
  void work(Worker* worker);
  void run_jobs(Worker* worker);
  Request* next_job(Worker* worker);
  void begin_batch(Worker* worker);
  Request* run_batch(Worker* worker, Request* request, bool* was_short);
  void take_back(Worker* worker);
  void take_back_all();
  void end_batch(Worker* worker);
  void end_job(Worker* worker, Request* request, bool was_short);
  bool sleep(Worker* worker);
  void watch();
  static bool has_waited(Worker* worker, uint64_t now);
  bool spin_for_work();
  void take_in();
  void publish();
  void declare_stuck_ones();
  void look_at(Worker* worker, uint64_t now, bool busy);
  static void look_at_cpu(Worker* worker, uint64_t now);
  bool processors_are_busy(uint64_t now);
  bool wants_another() const;
  bool calls_another();
  void call();
  bool start_thread();
  void start_thread_if_needed();
  void run_here(Request* requests);
  bool may_announce_later() const;
  void announce_all();
  void announce();

  const int wake_fd_;
  const Execute execute_;
  const ShouldResume should_resume_;
  const bool may_spin_;
  const uint64_t idle_ns_;
  const size_t processors_;

  // Written by the owner, or by threads without the lock.
  RequestStack arriving_;
  RequestStack finished_;
  std::atomic<bool> announced_{false};  // what has finished waits for the owner
  std::atomic<bool> wake_wanted_{false};
  Semaphore calls_;
  Semaphore watch_;  // where the thread that watches sleeps: no call takes it away from that

  // What the owner looks at without the lock; changes with it held.
  std::atomic<size_t> idle_{0};  // threads that run no request, and hear a call
  std::atomic<bool> watched_{false};
  std::atomic<bool> spinning_{false};  // an idle thread looks for work and needs no call
  std::atomic<bool> full_{false};      // local files have all the threads that they may have
  std::atomic<size_t> running_{0};
  std::atomic<size_t> thread_count_{0};

  pthread_mutex_t mutex_;
  JobQueues queues_;
  size_t unannounced_ = 0;      // finished, and the owner is still to be told
  uint32_t looks_left_ = 0;     // of the one that watches, though nothing waits: more may come soon
  uint64_t looked_ns_ = 0;      // when the last look was
  uint64_t looked_cpu_ns_ = 0;  // what the process had used of the processors by then
  bool stopping_ = false;
  std::unique_ptr<Worker[]> workers_;
  size_t workers_used_ = 0;  // of those, the first ones
};

}  // namespace ioengine
