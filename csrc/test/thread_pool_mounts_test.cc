// What does not come back holds nobody back: jobs that are stuck on local files leave the pool's width to
// others; a mount that does not answer keeps a few threads, and every other one has its own; a mount that
// answers slowly gets as many as it can use. Threads that have nothing to do end.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "backend/threads/thread_pool.h"
#include "base/clock.h"
#include "base/limits.h"
#include "jobs/stat_path.h"
#include "test/check.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

constexpr uint64_t kStuck = 1;  // Request::wanted: until `released`
constexpr uint64_t kSlow = 2;   // a millisecond
constexpr uint64_t kMarked = 3;
constexpr uint64_t kShort = 4;  // some microseconds

std::atomic<bool> released{false};
std::atomic<size_t> stuck_now{0};
std::atomic<size_t> marked{0};
std::atomic<size_t> slow_now{0};
std::atomic<size_t> slow_most{0};

int32_t execute(Request* request) {
  if (request->wanted == kStuck) {
    stuck_now.fetch_add(1);
    while (!released.load()) usleep(500);
    stuck_now.fetch_sub(1);
  } else if (request->wanted == kMarked) {
    marked.fetch_add(1);
  } else if (request->wanted == kShort) {
    const uint64_t end = monotonic_ns() + 15 * 1000;
    while (monotonic_ns() < end) {
    }
  } else if (request->wanted == kSlow) {
    const size_t now = slow_now.fetch_add(1) + 1;
    size_t most = slow_most.load();
    while (now > most && !slow_most.compare_exchange_weak(most, now)) {
    }
    usleep(1000);
    slow_now.fetch_sub(1);
  }
  return 0;
}

class Pool {
 public:
  explicit Pool(size_t processors, uint64_t idle_ns = limits::idle_thread_ns)
      : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), pool(processors, fd_, execute, nullptr, idle_ns) {
    released = false;
  }
  ~Pool() {
    release();
    for (const auto& request : requests_) delete request->job;
  }

  void push(size_t count, uint16_t mount, uint64_t kind, const char* path = nullptr) {
    for (size_t i = 0; i < count; ++i) {
      requests_.emplace_back(new Request());
      Request* request = requests_.back().get();
      request->operation = Operation::kStat;
      if (path != nullptr) request->job = new StatJob(path);
      request->mount_queue = mount;
      request->wanted = kind;
      pool.push(request, request);
      ++pushed_;
    }
  }
  // In one batch.
  void push_together(size_t count, uint16_t mount, uint64_t kind) {
    Request* newest = nullptr;
    Request* oldest = nullptr;
    for (size_t i = 0; i < count; ++i) {
      requests_.emplace_back(new Request());
      Request* request = requests_.back().get();
      request->mount_queue = mount;
      request->wanted = kind;
      request->next = newest;
      newest = request;
      if (oldest == nullptr) oldest = request;
    }
    pushed_ += count;
    pool.push(newest, oldest);
  }
  void release() {
    released = true;
    while (finished_ < pushed_) reap();
  }
  // Waits until so many have finished in all.
  void wait_for(size_t count) {
    const uint64_t end = monotonic_ns() + uint64_t{20} * 1000 * 1000 * 1000;
    while (finished_ < count && monotonic_ns() < end) reap();
    CHECK_EQ(finished_, count);
  }
  void wait_without_sleep(size_t count) {
    const uint64_t end = monotonic_ns() + uint64_t{5} * 1000 * 1000 * 1000;
    while (finished_ < count && monotonic_ns() < end) {
      for (Request* request = pool.take_finished(); request != nullptr; request = request->next) ++finished_;
    }
    CHECK_EQ(finished_, count);
  }
  // Waits until so many run, and a little longer: no more may.
  void wait_running(size_t count) {
    const uint64_t end = monotonic_ns() + uint64_t{20} * 1000 * 1000 * 1000;
    while (pool.running() < count && monotonic_ns() < end) usleep(1000);
    usleep(20 * 1000);
    CHECK_EQ(pool.running(), count);
  }

 private:
  void reap() {
    for (Request* request = pool.take_finished(); request != nullptr; request = request->next) ++finished_;
    usleep(200);
  }
  int fd_;
  std::vector<std::unique_ptr<Request>> requests_;
  size_t pushed_ = 0;
  size_t finished_ = 0;

 public:
  ThreadPool pool;
};

// Red when a job that does not come back counts against the width, or when nobody watches.
void stuck_local_jobs_hold_nobody_back() {
  set_context("local jobs that are stuck");
  Pool pool(2);
  for (size_t round = 1; round <= 10; ++round) {
    pool.push(3, 0, kStuck);
    pool.push(20, 0, 0);
    pool.wait_for(round * 20);
    CHECK_EQ(pool.pool.running(), round * 3);
  }
}

// Red when a mount may have as many threads as it wants from the start, and when mounts share a queue.
void a_dead_mount_keeps_a_few_threads() {
  set_context("a dead mount");
  Pool pool(2);
  pool.push(1000, 1, kStuck);
  pool.wait_running(limits::mount_threads_first);
  pool.push(50, 0, 0);
  pool.push(50, 2, 0);
  pool.wait_for(100);
  CHECK_EQ(pool.pool.running(), limits::mount_threads_first);
  // Local files, and the other mount, have more than theirs where the machine is so busy that they take long.
  CHECK(pool.pool.threads() <= limits::mount_threads_first + limits::local_threads_max + 50);
}

// The process may start no more threads, and those that it has hang. Red when calls on local files wait for
// them, which may be for ever.
void local_calls_go_on_where_no_thread_can_be_had() {
  set_context("no thread beside those that hang");
  const int status = status_of_child([] {
    Pool pool(2);
    pool.push(limits::mount_threads_first + 1, 1, kStuck);
    pool.wait_running(limits::mount_threads_first);
    if (geteuid() == 0) CHECK_EQ(setuid(65534), 0);
    const rlimit none = {0, 0};
    CHECK_EQ(setrlimit(RLIMIT_NPROC, &none), 0);
    pool.push(3, 0, 0);
    pool.push_together(3, 0, 0);
    pool.wait_for(6);
    CHECK_EQ(pool.pool.running(), limits::mount_threads_first);
    CHECK_EQ(pool.pool.threads(), limits::mount_threads_first);
  });
  CHECK(ended_well(status));
}

// Red when there is no bound, or no room is left for other mounts and local files.
void dead_mounts_do_not_take_them_all() {
  set_context("many dead mounts");
  Pool pool(2);
  constexpr uint16_t kMounts = 60;
  for (uint16_t mount = 1; mount <= kMounts; ++mount) pool.push(10, mount, kStuck);
  pool.wait_running(limits::mounts_threads_max + limits::mount_threads_reserve);
  pool.push(50, 0, 0);
  pool.wait_for(50);
  pool.push(100, 0, kStuck);
  pool.wait_running(limits::mounts_threads_max + limits::mount_threads_reserve + limits::local_threads_max);
  CHECK(pool.pool.threads() <= limits::threads_max);
}

// Red when a mount never gets more than its first threads. Where others use the processors, the jobs may be
// over before the next thread is there: so several tries.
void a_slow_mount_has_many_in_flight() {
  set_context("a slow mount");
  slow_most = 0;
  Pool pool(2);
  for (int round = 0; round < 10 && slow_most <= 32; ++round) {
    pool.push(2000, 1, kSlow);
    pool.wait_for(2000);
  }
  CHECK(slow_most > 32);
  CHECK(slow_most <= limits::mount_threads_max);
  // Idle, it begins with a few again.
  pool.push(100, 1, kStuck);
  pool.wait_running(limits::mount_threads_first);
}

// Red when calls below a link to a dead server, which nobody sees, take all the threads of local files; when
// one that hangs keeps out others beside it; or when a path stays suspect.
void a_link_to_a_dead_mount_is_one() {
  set_context("suspects");
  Pool pool(2);
  size_t finished = 0;
  for (int i = 0; i < 100; ++i) pool.push(5, 0, kStuck, ("/link/file-" + std::to_string(i)).c_str());
  pool.push(500, 0, kStuck, "/local/link");
  pool.push(50, 0, 0, "/local/file");
  pool.push(50, 0, 0, "/local/link-not");
  pool.wait_for(finished += 100);
  CHECK(pool.pool.threads() <= limits::threads_max);
  pool.release();
  finished += 1000;
  released = false;
  pool.push(3, 0, kStuck, "/link/file");
  pool.push(20, 0, 0, "/link/file");
  pool.wait_for(finished += 20);
}

// Each job that turns out to hang beside others makes room for itself, and for no more. Red when each makes
// room for some of those that wait, which hang as well: then they take all the threads there are, and what
// hangs elsewhere stays among local files for ever.
void those_that_hang_take_no_others_along() {
  set_context("jobs that turn out to hang one after the other");
  JobQueues queues(2);
  std::vector<std::unique_ptr<Request>> requests;
  for (size_t i = 0; i < 500; ++i) {
    requests.emplace_back(new Request());
    requests.back()->operation = Operation::kStat;
    requests.back()->job = new StatJob("/link/file-" + std::to_string(i));
    queues.append(requests.back().get());
  }
  std::vector<Request*> local;
  while (Request* request = queues.take()) {
    CHECK(queues.declare_stuck(request));
    local.push_back(request);
  }
  CHECK_EQ(local.size(), limits::local_threads_max);
  const size_t suspects = limits::suspects_of_folder + 1;
  for (Request* request : local) {
    queues.suspect(request, false);
    while (queues.take() != nullptr) {
    }
  }
  CHECK(queues.running() <= local.size() + suspects * limits::mount_threads_first + queues.width());
  for (const auto& request : requests) delete request->job;
}

// Names in the current folder, several of which hang. Red when the folder that becomes suspect then is one
// that they are not in: jobs are counted where they are not, and the threads of remote mounts run out.
void names_of_the_current_folder_are_in_one() {
  set_context("names without a folder that hang");
  JobQueues queues(2);
  for (int round = 0; round < 100; ++round) {
    std::vector<std::unique_ptr<Request>> requests;
    for (size_t i = 0; i < limits::suspects_of_folder + 3; ++i) {
      requests.emplace_back(new Request());
      requests.back()->operation = Operation::kStat;
      requests.back()->job = new StatJob("link-" + std::to_string(i));
      queues.append(requests.back().get());
    }
    std::vector<std::pair<Request*, bool>> hung;
    while (Request* request = queues.take()) {
      const bool counted = !queues.declare_stuck(request);
      queues.suspect(request, counted);
      CHECK(request->suspect != 0);
      hung.push_back({request, counted});
    }
    CHECK_EQ(hung.size(), requests.size());
    CHECK_EQ(queues.counted(), 0u);
    for (const auto& [request, counted] : hung) queues.ended(request, counted, 0);
    CHECK_EQ(queues.counted(), 0u);
    CHECK_EQ(queues.running(), 0u);
    CHECK(queues.empty());
    for (const auto& request : requests) delete request->job;
  }
}

// How long a job waits behind one that is stuck, while calls for others come more often than the one that
// watches looks.
uint64_t waiting_beside_a_busy_mount() {
  Pool pool(1);
  pool.push(3, 1, 0);
  pool.wait_for(3);
  marked = 0;
  pool.push(1, 0, kStuck);
  const uint64_t start = monotonic_ns();
  pool.push(1, 0, kMarked);
  while (marked == 0 && monotonic_ns() - start < uint64_t{5} * 1000 * 1000 * 1000) {
    pool.push(1, 1, kShort);
    const uint64_t next = monotonic_ns() + limits::stuck_ns / 8;
    while (monotonic_ns() < next) {
    }
  }
  CHECK_EQ(marked, 1u);
  return monotonic_ns() - start;
}

// Red when such calls keep it from finding out what is stuck: 11 to 250 ms.
void a_busy_mount_hides_no_stuck_job() {
  set_context("stuck jobs beside a busy mount");
  uint64_t quickest = UINT64_MAX;
  // On a busy machine most of them may take long for other reasons.
  for (int i = 0; i < 25 && quickest >= 10 * limits::stuck_ns; ++i)
    quickest = std::min(quickest, waiting_beside_a_busy_mount());
  CHECK(quickest < 10 * limits::stuck_ns);
}

// A thread that ends its job takes in what has just been pushed, while another one spins and is about to see
// it. Red when nobody is called for the rest of it, which then waits for what the first one runs.
void none_waits_beside_one_that_spins() {
  set_context("a thread that spins");
  constexpr uint64_t kRounds = 1500;
  Pool pool(2);
  size_t finished = 0;
  for (uint64_t round = 0; round < kRounds; ++round) {
    released = false;
    pool.push(2, 1, kShort);  // they end one after the other, as the next two come
    finished += 2;
    const uint64_t pause = monotonic_ns() + round % 64 * 500;
    while (monotonic_ns() < pause) {
    }
    pool.push_together(2, 1, kStuck);
    const uint64_t end = monotonic_ns() + uint64_t{2} * 1000 * 1000 * 1000;
    while (stuck_now < 2 && monotonic_ns() < end) {
    }
    CHECK_EQ(stuck_now, 2u);
    released = true;
    pool.wait_without_sleep(finished += 2);
  }
}

// Red when threads stay for ever, or when those that ended are not started again.
void idle_threads_end() {
  set_context("idle threads");
  Pool pool(4, 20 * 1000 * 1000);
  for (size_t round = 1; round <= 3; ++round) {
    slow_most = 0;
    pool.push(200, 1, kSlow);
    pool.wait_for(round * 200);
    CHECK(pool.pool.threads() > limits::mount_threads_first);
    const uint64_t end = monotonic_ns() + uint64_t{10} * 1000 * 1000 * 1000;
    while (pool.pool.threads() > 0 && monotonic_ns() < end) usleep(1000);
    CHECK_EQ(pool.pool.threads(), 0u);
  }
}

// A thread that ends has been called at the last moment. Red when it does not look once more: nobody else is
// there.
void none_is_lost_when_the_last_thread_ends() {
  set_context("the last thread ends");
  constexpr uint64_t kIdle_ns = 30 * 1000;
  Pool pool(1, kIdle_ns);
  for (size_t round = 1; round <= 5000; ++round) {
    pool.push(1, 0, 0);
    pool.wait_without_sleep(round);
    const uint64_t end = monotonic_ns() + kIdle_ns + round % 200 * 500;
    while (monotonic_ns() < end) {
    }
  }
}

}  // namespace

int main() {
  stuck_local_jobs_hold_nobody_back();
  a_dead_mount_keeps_a_few_threads();
  local_calls_go_on_where_no_thread_can_be_had();
  dead_mounts_do_not_take_them_all();
  a_slow_mount_has_many_in_flight();
  a_link_to_a_dead_mount_is_one();
  those_that_hang_take_no_others_along();
  names_of_the_current_folder_are_in_one();
  a_busy_mount_hides_no_stuck_job();
  none_waits_beside_one_that_spins();
  idle_threads_end();
  none_is_lost_when_the_last_thread_ends();
  return 0;
}
