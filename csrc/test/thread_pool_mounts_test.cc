// What does not come back holds nobody back: jobs that are stuck on local files leave the pool's width to
// others; a mount that does not answer keeps a few threads, and every other one has its own; a mount that
// answers slowly gets as many as it can use. Threads that have nothing to do end.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
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

std::atomic<bool> released{false};
std::atomic<size_t> slow_now{0};
std::atomic<size_t> slow_most{0};

int32_t execute(Request* request) {
  if (request->wanted == kStuck) {
    while (!released.load()) usleep(500);
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
  CHECK(pool.pool.threads() <= limits::mount_threads_first + 4);
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

// Red when a mount never gets more than its first threads.
void a_slow_mount_has_many_in_flight() {
  set_context("a slow mount");
  slow_most = 0;
  Pool pool(2);
  pool.push(2000, 1, kSlow);
  pool.wait_for(2000);
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
  dead_mounts_do_not_take_them_all();
  a_slow_mount_has_many_in_flight();
  a_link_to_a_dead_mount_is_one();
  idle_threads_end();
  none_is_lost_when_the_last_thread_ends();
  return 0;
}
