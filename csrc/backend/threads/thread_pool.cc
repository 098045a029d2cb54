#include "backend/threads/thread_pool.h"

#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <new>

#include "base/check.h"
#include "base/clock.h"
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

// How often the calling thread has given up its processor because it had to wait.
long own_sleeps() {
  rusage usage;
  return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nvcsw : 0;
}

class Locked {
 public:
  explicit Locked(pthread_mutex_t* mutex) : mutex_(mutex) { pthread_mutex_lock(mutex_); }
  ~Locked() { pthread_mutex_unlock(mutex_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  pthread_mutex_t* mutex_;
};

}  // namespace

ThreadPool::ThreadPool(size_t processors, int wake_fd, Execute execute, ShouldResume should_resume,
                       uint64_t idle_ns)
    : wake_fd_(wake_fd),
      execute_(execute),
      should_resume_(should_resume),
      may_spin_(has_processors()),
      idle_ns_(idle_ns),
      processors_(processors),
      queues_(processors),
      workers_(new Worker[limits::threads_max]) {
  pthread_mutex_init(&mutex_, nullptr);
}

ThreadPool::~ThreadPool() {
  {
    const Locked locked(&mutex_);
    take_in();
    IOE_CHECK(queues_.empty());
    stopping_ = true;
  }
  watch_.post();
  for (size_t i = 0; i < limits::threads_max; ++i) calls_.post();
  for (size_t i = 0; i < limits::threads_max; ++i) {
    if (workers_[i].started) pthread_join(workers_[i].thread, nullptr);
  }
  pthread_mutex_destroy(&mutex_);
}

// ---- the owner

void ThreadPool::push(Request* newest, Request* oldest) {
  const bool remote = newest->mount_queue != 0;
  arriving_.push(newest, oldest);
  // Whoever spins looks there; and one that is about to sleep, or has just ended a request, looks once more.
  if (spinning_.load(std::memory_order_seq_cst)) return;
  const bool taken_soon =
      full_.load(std::memory_order_seq_cst) && watched_.load(std::memory_order_seq_cst) && !remote;
  if (taken_soon) return;
  if (idle_.load(std::memory_order_seq_cst) == 0) return start_thread_if_needed();
  call();
}

void ThreadPool::call() {
  if (calls_.posted() == 0) calls_.post();
}

// Every thread runs a request. Each looks at what arrives when it is done, but that may take long.
void ThreadPool::start_thread_if_needed() {
  Request* left = nullptr;
  {
    const Locked locked(&mutex_);
    if (idle_.load(std::memory_order_relaxed) > 0) return call();
    take_in();
    if (!wants_another() || start_thread()) return;
    if (threads() == 0) {
      left = queues_.take_waiting();
    } else if (queues_.local_may_run() && queues_.counted() == 0) {
      left = queues_.take_waiting_local();
    }
  }
  run_here(left);
}

// No thread can be had (RLIMIT_NPROC, the cgroup's pids.max), and there is none, or none that can be waited
// for: all of them are stuck, or on remote mounts. The caller waits, but everything gets served; what is on
// remote mounts only where there is no thread at all.
void ThreadPool::run_here(Request* requests) {
  while (Request* request = requests) {
    requests = request->next;
    request->next = nullptr;
    request->result = execute_(request);
    finished_.push(request, request);
    announce();
  }
}

Request* ThreadPool::take_queued() {
  const Locked locked(&mutex_);
  take_back_all();
  take_in();
  return queues_.take_waiting();
}

Request* ThreadPool::take_queued(Wanted wanted, const void* argument) {
  const Locked locked(&mutex_);
  take_back_all();
  take_in();
  return queues_.take_waiting(wanted, argument);
}

bool ThreadPool::spin(uint64_t most_ns) const {
  if (!may_spin_) return has_finished();
  return spin_until([this] { return has_finished(); }, most_ns);
}

// ---- threads; with the lock held unless the comment says something else

void ThreadPool::take_in() {
  Request* request = arriving_.take_all();
  while (request != nullptr) {
    Request* next = request->next;
    queues_.append(request);
    request = next;
  }
}

// What the owner looks at without the lock.
void ThreadPool::publish() {
  running_.store(queues_.running(), std::memory_order_relaxed);
  full_.store(queues_.counted() >= queues_.width(), std::memory_order_seq_cst);
}

// False: there is none to be had.
bool ThreadPool::start_thread() {
  for (size_t i = 0; i < limits::threads_max; ++i) {
    Worker* worker = &workers_[i];
    if (worker->started && !worker->ended) continue;
    if (worker->started) pthread_join(worker->thread, nullptr);
    worker->~Worker();
    new (worker) Worker();
    worker->pool = this;
    if (!ioengine::start_thread(&worker->thread, thread_main, worker)) return false;
    worker->started = true;
    workers_used_ = std::max(workers_used_, i + 1);
    thread_count_.fetch_add(1, std::memory_order_relaxed);
    idle_.fetch_add(1, std::memory_order_seq_cst);  // until it takes its first request
    return true;
  }
  return false;
}

// Something waits that may run, or local files do, in a batch as well, and nobody watches who holds them up.
bool ThreadPool::wants_another() const { return (!watched_ && queues_.local_waits()) || queues_.may_take(); }

// True: a sleeping thread is to be called, once the lock is given back, or it would wake up only to wait for
// that. Where jobs are
// short one call at a time is enough: the thread may be on its way while this one ends several.
bool ThreadPool::calls_another() {
  if (spinning_ || !wants_another()) return false;
  if (idle_ > 0) return calls_.posted() < (queues_.are_short() ? 1 : idle_.load());
  start_thread();
  return false;
}

// A thread names itself: naming another one opens a file in /proc/self/task, whose descriptor has the number
// that the program closed last, and a read that the program still makes there would find that file instead
// of EBADF.
void* ThreadPool::thread_main(void* argument) {
  prctl(PR_SET_NAME, "ioengine-pool");
  auto* worker = static_cast<Worker*>(argument);
  worker->pool->work(worker);
  return nullptr;
}

void ThreadPool::work(Worker* worker) {
  pthread_mutex_lock(&mutex_);
  do {
    run_jobs(worker);
    // The owner may have called this thread at the last moment, and counts on it: it looks once more when the
    // owner no longer does.
    idle_.fetch_sub(1, std::memory_order_seq_cst);
    if (stopping_ || arriving_.empty()) break;
    idle_.fetch_add(1, std::memory_order_seq_cst);
  } while (true);
  thread_count_.fetch_sub(1, std::memory_order_relaxed);
  worker->ended = true;
  pthread_mutex_unlock(&mutex_);
}

// Until there are none for so long that the thread is not needed.
void ThreadPool::run_jobs(Worker* worker) {
  while (Request* request = next_job(worker)) {
    idle_.fetch_sub(1, std::memory_order_seq_cst);
    worker->counted = true;
    begin_batch(worker);
    publish();
    const bool calls = calls_another();
    const bool announces = unannounced_ > 0 && !may_announce_later();
    if (announces) unannounced_ = 0;
    pthread_mutex_unlock(&mutex_);
    if (announces) announce();
    if (calls) calls_.post();

    bool was_short;
    Request* last = run_batch(worker, request, &was_short);

    pthread_mutex_lock(&mutex_);
    end_job(worker, last, was_short);
  }
}

void ThreadPool::begin_batch(Worker* worker) {
  worker->batch_size = queues_.take_batch(worker->batch.space());
  worker->batch.fill(worker->batch_size);
}

// Without the lock. All that is left of the batch, but for the last one, which is to be ended with the lock
// held: the thread is idle then. One that was slow, or that somebody looks at, is the last.
Request* ThreadPool::run_batch(Worker* worker, Request* request, bool* was_short) {
  uint64_t now = monotonic_ns();
  for (;;) {
    worker->jobs.fetch_add(1, std::memory_order_relaxed);
    worker->started_ns.store(now, std::memory_order_relaxed);
    worker->running.set(request);
    request->result = execute_(request);
    now = monotonic_ns();
    *was_short = !has_waited(worker, now);
    if (worker->running.clear() || !*was_short) return request;
    Request* next = worker->batch.pop();
    if (next == nullptr) return request;
    finished_.push(request, request);
    ++worker->finished;
    request = next;
  }
}

// What the thread has not begun. The others are part of its batch until that is over.
void ThreadPool::take_back(Worker* worker) {
  size_t count;
  Request* const* requests = worker->batch.take_back(&count);
  queues_.put_back(requests, count);
  worker->batch_size -= count;
}

void ThreadPool::take_back_all() {
  if (queues_.in_batches() == 0) return;
  for (size_t i = 0; i < workers_used_; ++i) {
    if (workers_[i].batch_size > 0) take_back(&workers_[i]);
  }
}

// What the thread runs is the last of its batch, and it has given back the others.
void ThreadPool::end_batch(Worker* worker) {
  if (worker->batch_size == 0) return;
  take_back(worker);
  queues_.batch_ended(worker->batch_size);
  worker->batch_size = 0;
  ++unannounced_;  // one at least, if it was not told of meanwhile
}

// Without the lock. Whether the job took long because it waited for a device, and not for a processor: more
// threads would only make it wait longer for that.
bool ThreadPool::has_waited(Worker* worker, uint64_t now) {
  if (now - worker->started_ns.load(std::memory_order_relaxed) <= limits::short_job_ns) return false;
  const long before = worker->sleeps;
  worker->sleeps = own_sleeps();
  return worker->sleeps != before;
}

// Null: the thread ends.
Request* ThreadPool::next_job(Worker* worker) {
  for (;;) {
    take_in();
    if (queues_.keeps_order()) take_back_all();
    if (Request* request = queues_.take()) return request;
    // None waits behind one that another thread runs while this one may run it.
    if (queues_.in_batches() > 0 && queues_.has_width()) {
      take_back_all();
      if (Request* request = queues_.take()) return request;
    }
    if (stopping_ || !sleep(worker)) return nullptr;
  }
}

// The thread is idle before the owner hears of the end: the next request finds this one, and calls or starts
// no other.
void ThreadPool::end_job(Worker* worker, Request* request, bool was_short) {
  end_batch(worker);
  unannounced_ += worker->finished;
  worker->finished = 0;
  queues_.ended(request, worker->counted, was_short);
  idle_.fetch_add(1, std::memory_order_seq_cst);
  publish();
  // With the lock held: either this sees that the engine ends, or its owner finds the request in the queue.
  if (should_resume_ != nullptr && should_resume_(request)) {
    queues_.append(request);
  } else {
    finished_.push(request, request);
    ++unannounced_;
  }
}

// A wake-up costs more than a short job: the owner gets one for several. What is next may take long, though
// it seldom does where nothing has lately; then the one that watches announces what there is.
bool ThreadPool::may_announce_later() const {
  return watched_ && unannounced_ < limits::announced_together && queues_.are_short();
}

// Of a batch that is not over the pool does not know what has finished.
void ThreadPool::announce_all() {
  if (unannounced_ == 0 && queues_.in_batches() == 0) return;
  unannounced_ = 0;
  announce();
}

// With or without the lock.
void ThreadPool::announce() {
  announced_.store(true, std::memory_order_seq_cst);
  // The owner may have taken the request by now and be about to destroy us, but then it waits for this
  // thread, and closes the eventfd later.
  const bool wakes =
      wake_wanted_.load(std::memory_order_seq_cst) && wake_wanted_.exchange(false, std::memory_order_seq_cst);
  if (wakes) eventfd_write(wake_fd_, 1);
}

// Until there may be work. False: there was none for so long that the thread is not needed.
bool ThreadPool::sleep(Worker* worker) {
  announce_all();
  const uint64_t started = monotonic_ns();
  const auto learn = [=] { worker->was_short_wait = monotonic_ns() - started < limits::spin_ns; };
  if (worker->was_short_wait && may_spin_ && queues_.empty() && !spinning_ && worker->policy.tries()) {
    const bool came = spin_for_work();
    worker->policy.learn(came);
    // Or another thread has taken in what came, and left some: it calls nobody while one looks.
    if (came || wants_another()) return learn(), true;
  }
  if (queues_.local_waits()) looks_left_ = limits::looks_without_work;
  if (!watched_ && looks_left_ > 0) return watch(), learn(), true;
  bool called = !arriving_.empty();  // after everything that the owner looks at was set
  if (!called) {
    pthread_mutex_unlock(&mutex_);
    called = calls_.wait(idle_ns_);
    worker->sleeps = own_sleeps();
    pthread_mutex_lock(&mutex_);
  }
  learn();
  return called || !arriving_.empty() || wants_another();
}

// Sleeps until the next look is due. No call wakes this thread up: others are there for that, or are started.
void ThreadPool::watch() {
  --looks_left_;
  watched_.store(true, std::memory_order_seq_cst);
  idle_.fetch_sub(1, std::memory_order_seq_cst);
  if (arriving_.empty()) {  // after everything that the owner looks at was set
    pthread_mutex_unlock(&mutex_);
    watch_.wait(limits::stuck_ns);
    pthread_mutex_lock(&mutex_);
  }
  idle_.fetch_add(1, std::memory_order_seq_cst);
  watched_.store(false, std::memory_order_seq_cst);
  if (monotonic_ns() - looked_ns_ >= limits::stuck_ns) declare_stuck_ones();
}

// One thread at a time looks for work without sleeping, if it came soon the last time. Whether it did now.
bool ThreadPool::spin_for_work() {
  spinning_.store(true, std::memory_order_seq_cst);
  pthread_mutex_unlock(&mutex_);
  spin_until([this] { return !arriving_.empty(); }, limits::spin_ns);
  pthread_mutex_lock(&mutex_);
  spinning_.store(false, std::memory_order_seq_cst);
  return !arriving_.empty();
}

// Who runs the same job as at the last look, and has not computed since. What it has makes room for another.
void ThreadPool::declare_stuck_ones() {
  const uint64_t now = monotonic_ns();
  const bool busy = processors_are_busy(now);
  for (size_t i = 0; i < workers_used_; ++i) {
    if (!workers_[i].running.empty()) look_at(&workers_[i], now, busy);
  }
  publish();
}

// A job that computes, such as the copy of a large cached read, waits for nobody: more threads would only
// take its processor away.
void ThreadPool::look_at_cpu(Worker* worker, uint64_t now) {
  clockid_t clock;
  if (pthread_getcpuclockid(worker->thread, &clock) != 0) return;
  const uint64_t cpu = cpu_ns(clock), used = cpu - worker->cpu_seen;
  if (used >= (now - worker->seen_ns) / limits::computing_share) worker->computed_ns = now;
  worker->cpu_seen = cpu;
  worker->seen_ns = now;
}

void ThreadPool::look_at(Worker* worker, uint64_t now, bool busy) {
  const uint64_t jobs = worker->jobs.load(std::memory_order_relaxed);
  const bool same = jobs == worker->jobs_seen;
  worker->jobs_seen = jobs;
  look_at_cpu(worker, now);
  if (!same || worker->computed_ns == now) return;
  const uint64_t age =
      now - std::max(worker->started_ns.load(std::memory_order_relaxed), worker->computed_ns);
  const bool stuck = worker->counted && (!busy || age > limits::stuck_busy_ns);
  if (!stuck && age <= limits::suspect_ns) return;
  Request* request = worker->running.hold();
  if (request == nullptr || worker->jobs.load(std::memory_order_relaxed) != jobs) return;
  end_batch(worker);
  if (age > limits::suspect_ns) queues_.suspect(request, worker->counted);
  if (stuck) worker->counted = !queues_.declare_stuck(request);
}

// Whether this process has used what processors there are since the last look: then a job that has not come
// back has probably waited for one of them.
bool ThreadPool::processors_are_busy(uint64_t now) {
  const uint64_t cpu = process_cpu_ns();
  const uint64_t used = cpu - looked_cpu_ns_, had = (now - looked_ns_) * processors_;
  looked_ns_ = now;
  looked_cpu_ns_ = cpu;
  return used >= had - had / 4;
}

}  // namespace ioengine
