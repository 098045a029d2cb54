#include "backend/threads/thread_pool.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"

namespace ioengine {

ThreadPool::ThreadPool(size_t threads_max, int wake_fd, Execute execute)
    : threads_max_(threads_max), wake_fd_(wake_fd), execute_(execute), threads_(new pthread_t[threads_max]) {
  pthread_mutex_init(&mutex_, nullptr);
  pthread_cond_init(&work_, nullptr);
  pthread_mutex_init(&finished_mutex_, nullptr);
}

ThreadPool::~ThreadPool() {
  pthread_mutex_lock(&mutex_);
  IOE_CHECK(queue_head_ == nullptr);
  stopping_ = true;
  pthread_cond_broadcast(&work_);
  pthread_mutex_unlock(&mutex_);
  for (size_t i = 0; i < thread_count_; ++i) pthread_join(threads_[i], nullptr);
  delete[] threads_;
  pthread_cond_destroy(&work_);
  pthread_mutex_destroy(&mutex_);
  pthread_mutex_destroy(&finished_mutex_);
}

// Called with mutex_ held. Signals stay with the threads that expect them: a pool thread that took SIGTERM
// would run handlers nobody wrote for it.
void ThreadPool::start_thread() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, limits::pool_stack_bytes);
  const int status = pthread_create(&threads_[thread_count_], &attributes, thread_main, this);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (status != 0) return;
  ++thread_count_;
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

void ThreadPool::push(Request* first, Request* last, size_t count) {
  pthread_mutex_lock(&mutex_);
  if (queue_tail_ != nullptr) {
    queue_tail_->next = first;
  } else {
    queue_head_ = first;
  }
  queue_tail_ = last;
  queued_ += count;
  while (thread_count_ < threads_max_ && idle_ < queued_) {
    const size_t before = thread_count_;
    start_thread();
    if (thread_count_ == before) break;
    ++idle_;  // counted as idle until it takes its first request
  }
  const size_t to_wake = std::min(queued_, idle_);
  if (to_wake > 1) {
    pthread_cond_broadcast(&work_);
  } else if (to_wake == 1) {
    pthread_cond_signal(&work_);
  }
  const bool has_threads = thread_count_ > 0;
  pthread_mutex_unlock(&mutex_);
  if (!has_threads) run_here();
}

// A thread names itself: naming another one opens a file in /proc/self/task, whose descriptor has the number
// that the program closed last, and a read that the program still asks for there would find that file instead
// of EBADF.
void* ThreadPool::thread_main(void* self) {
  prctl(PR_SET_NAME, "ioengine-pool");
  static_cast<ThreadPool*>(self)->run();
  return nullptr;
}

// A thread counts as idle from its start, and whenever it is not running a request.
void ThreadPool::run() {
  pthread_mutex_lock(&mutex_);
  for (;;) {
    while (queue_head_ == nullptr && !stopping_) pthread_cond_wait(&work_, &mutex_);
    if (queue_head_ == nullptr) break;
    Request* request = queue_head_;
    queue_head_ = request->next;
    if (queue_head_ == nullptr) queue_tail_ = nullptr;
    --queued_;
    --idle_;
    running_.fetch_add(1, std::memory_order_relaxed);
    pthread_mutex_unlock(&mutex_);

    request->next = nullptr;
    request->result = execute_(request);
    running_.fetch_sub(1, std::memory_order_relaxed);  // before anybody can see that it is finished

    finish(request);

    pthread_mutex_lock(&mutex_);
    ++idle_;
  }
  pthread_mutex_unlock(&mutex_);
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
  // Rung under the lock: once the owner has taken the last request it may destroy us and close the eventfd.
  if (wake_wanted_.exchange(false, std::memory_order_seq_cst)) eventfd_write(wake_fd_, 1);
  pthread_mutex_unlock(&finished_mutex_);
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
