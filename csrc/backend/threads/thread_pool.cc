#include "backend/threads/thread_pool.h"

#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/eintr.h"
#include "base/limits.h"
#include "base/start_thread.h"

namespace ioengine {

namespace {

// On one processor whoever is waited for could not run meanwhile.
bool has_processors() {
  cpu_set_t processors;
  return sched_getaffinity(0, sizeof processors, &processors) == 0 && CPU_COUNT(&processors) > 1;
}

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <typename Done>
bool spin_until(Done done, uint64_t most_ns) {
  constexpr int kLooksPerTime = 32;
  const uint64_t end = monotonic_ns() + most_ns;
  do {
    for (int i = 0; i < kLooksPerTime; ++i) {
      if (done()) return true;
      relax();
    }
  } while (monotonic_ns() < end);
  return done();
}

}  // namespace

ThreadPool::ThreadPool(size_t threads_max, int wake_fd, Execute execute, ShouldResume should_resume)
    : threads_max_(threads_max),
      wake_fd_(wake_fd),
      execute_(execute),
      should_resume_(should_resume),
      may_spin_(has_processors()),
      threads_(new pthread_t[threads_max]) {
  pthread_mutex_init(&mutex_, nullptr);
  sem_init(&calls_, 0, 0);
  pthread_mutex_init(&finished_mutex_, nullptr);
}

ThreadPool::~ThreadPool() {
  pthread_mutex_lock(&mutex_);
  IOE_CHECK(queue_head_ == nullptr);
  stopping_ = true;
  for (size_t i = 0; i < thread_count_; ++i) sem_post(&calls_);
  pthread_mutex_unlock(&mutex_);
  for (size_t i = 0; i < thread_count_; ++i) pthread_join(threads_[i], nullptr);
  delete[] threads_;
  sem_destroy(&calls_);
  pthread_mutex_destroy(&mutex_);
  pthread_mutex_destroy(&finished_mutex_);
}

// Called with mutex_ held.
void ThreadPool::start_thread() {
  if (!ioengine::start_thread(&threads_[thread_count_], thread_main, this)) return;
  ++thread_count_;
  ++idle_;  // until it takes its first request
  coming_ = true;
}

// One thread is on its way to the queue at a time, and calls the next one when it has taken a request and
// others are left: so no request waits behind a slow one while a thread is free, and short ones do not wake
// every thread. Called with mutex_ held. True: a sleeping thread is to be called, once the lock is given
// back, or it would wake up only to wait for that.
bool ThreadPool::calls_one() {
  if (queue_head_ == nullptr || coming_ || spinning_) return false;
  if (idle_ > 0) return coming_ = true;
  if (thread_count_ < threads_max_) start_thread();
  return false;
}

// No thread can be had at all (RLIMIT_NPROC, the cgroup's pids.max): the caller waits, but everything gets
// served.
void ThreadPool::run_here() {
  while (Request* request = take_queued()) {
    while (request != nullptr) {
      Request* next = request->next;
      request->next = nullptr;
      request->result = execute_(request);
      finish(request);
      request = next;
    }
  }
}

// Called with mutex_ held.
void ThreadPool::append(Request* first, Request* last, size_t count) {
  if (queue_tail_ != nullptr) {
    queue_tail_->next = first;
  } else {
    queue_head_ = first;
  }
  queue_tail_ = last;
  queued_ += count;
}

void ThreadPool::push(Request* first, Request* last, size_t count) {
  pthread_mutex_lock(&mutex_);
  append(first, last, count);
  const bool calls = calls_one();
  const bool has_threads = thread_count_ > 0;
  pthread_mutex_unlock(&mutex_);
  if (calls) sem_post(&calls_);
  if (!has_threads) run_here();
}

// A thread names itself: naming another one opens a file in /proc/self/task, whose descriptor has the number
// that the program closed last, and a read that the program still makes there would find that file instead
// of EBADF.
void* ThreadPool::thread_main(void* self) {
  prctl(PR_SET_NAME, "ioengine-pool");
  static_cast<ThreadPool*>(self)->run();
  return nullptr;
}

// A thread counts as idle from its start, and whenever it is not running a request. One that is on its way to
// the queue counts, too: it looks there before it sleeps.
void ThreadPool::run() {
  SpinPolicy policy;
  bool was_short = false;
  pthread_mutex_lock(&mutex_);
  for (;;) {
    if (queue_head_ == nullptr) was_short = wait_for_work(&policy, was_short);
    if (queue_head_ == nullptr) break;
    Request* request = queue_head_;
    queue_head_ = request->next;
    if (queue_head_ == nullptr) queue_tail_ = nullptr;
    --queued_;
    --idle_;
    coming_ = false;
    const bool calls = calls_one();
    running_.fetch_add(1, std::memory_order_relaxed);
    pthread_mutex_unlock(&mutex_);
    if (calls) sem_post(&calls_);

    request->next = nullptr;
    request->result = execute_(request);
    running_.fetch_sub(1, std::memory_order_relaxed);  // before anybody can see that it is finished

    // Idle before the owner hears of the end: the next request finds this thread, and calls or starts no
    // other.
    pthread_mutex_lock(&mutex_);
    ++idle_;
    // With the lock held: either this sees that the engine ends, or its owner finds the request in the queue.
    if (should_resume_ != nullptr && should_resume_(request)) {
      append(request, request, 1);
      continue;
    }
    pthread_mutex_unlock(&mutex_);
    finish(request);
    pthread_mutex_lock(&mutex_);
  }
  pthread_mutex_unlock(&mutex_);
}

// With mutex_ held: until there is work, or the end. One thread at a time looks for it without sleeping, if
// it came soon the last time. Returns whether it did now.
bool ThreadPool::wait_for_work(SpinPolicy* policy, bool was_short) {
  const uint64_t started = monotonic_ns();
  coming_ = false;  // called for a request that another thread has taken
  if (was_short && may_spin_ && !spinning_ && !stopping_ && policy->tries()) {
    spinning_ = true;
    pthread_mutex_unlock(&mutex_);
    spin_until([this] { return queued_.load(std::memory_order_relaxed) > 0; }, limits::spin_ns);
    pthread_mutex_lock(&mutex_);
    spinning_ = false;
    policy->learn(queue_head_ != nullptr);
  }
  while (queue_head_ == nullptr && !stopping_) {
    coming_ = false;
    pthread_mutex_unlock(&mutex_);
    without_eintr([this] { return sem_wait(&calls_); });
    pthread_mutex_lock(&mutex_);
  }
  return monotonic_ns() - started < limits::spin_ns;
}

bool ThreadPool::spin(uint64_t most_ns) const {
  if (!may_spin_) return has_finished();
  return spin_until([this] { return has_finished(); }, most_ns);
}

void ThreadPool::finish(Request* request) {
  pthread_mutex_lock(&finished_mutex_);
  if (finished_tail_ != nullptr) {
    finished_tail_->next = request;
  } else {
    finished_head_ = request;
  }
  finished_tail_ = request;
  finished_count_.fetch_add(1, std::memory_order_seq_cst);
  const bool wakes = wake_wanted_.exchange(false, std::memory_order_seq_cst);
  pthread_mutex_unlock(&finished_mutex_);
  // With the lock held the owner would wake up only to wait for it. It may have taken the request by now and
  // be about to destroy us, but then it waits for this thread, and closes the eventfd later.
  if (wakes) eventfd_write(wake_fd_, 1);
}

Request* ThreadPool::take_queued() {
  pthread_mutex_lock(&mutex_);
  Request* first = queue_head_;
  queue_head_ = queue_tail_ = nullptr;
  queued_ = 0;
  pthread_mutex_unlock(&mutex_);
  return first;
}

Request* ThreadPool::take_queued(Wanted wanted, const void* argument) {
  pthread_mutex_lock(&mutex_);
  Request* before = nullptr;
  Request* request = queue_head_;
  while (request != nullptr && !wanted(request, argument)) {
    before = request;
    request = request->next;
  }
  if (request != nullptr) {
    (before != nullptr ? before->next : queue_head_) = request->next;
    if (queue_tail_ == request) queue_tail_ = before;
    request->next = nullptr;
    --queued_;
  }
  pthread_mutex_unlock(&mutex_);
  return request;
}

Request* ThreadPool::take_finished() {
  if (!has_finished()) return nullptr;
  pthread_mutex_lock(&finished_mutex_);
  Request* first = finished_head_;
  finished_head_ = finished_tail_ = nullptr;
  finished_count_.store(0, std::memory_order_relaxed);
  pthread_mutex_unlock(&finished_mutex_);
  return first;
}

}  // namespace ioengine
