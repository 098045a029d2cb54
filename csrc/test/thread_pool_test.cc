// The pool (H10): thousands of requests come back once, in any number of batches; what no thread has started
// can be taken back; the end joins every thread; the wake-up comes, also where the pool or its owner waits
// without sleeping; and requests that come one after the other need one thread.
#include <dirent.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <vector>

#include "backend/mock/random.h"
#include "backend/threads/thread_pool.h"
#include "base/clock.h"
#include "base/limits.h"
#include "test/check.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

std::atomic<uint32_t> executed{0};
std::atomic<bool> may_go_on{true};

int32_t count_up(Request* request) {
  while (!may_go_on.load()) usleep(500);
  executed.fetch_add(1);
  return static_cast<int32_t>(request->slot) + 1;
}

struct WakeUp {
  WakeUp() : fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~WakeUp() { close(fd); }
  bool wait(int timeout_ms) const {
    pollfd poller = {fd, POLLIN, 0};
    const bool woke_up = poll(&poller, 1, timeout_ms) == 1;
    eventfd_t count;
    eventfd_read(fd, &count);
    return woke_up;
  }
  int fd;
};

// Look-ups, of which a thread takes several at once, beside others.
std::atomic<bool> batchable{true};

void push_range(ThreadPool* pool, std::vector<Request>* requests, size_t first, size_t count) {
  for (size_t i = first; i < first + count; ++i) {
    (*requests)[i].batchable = batchable.load() && i % 7 != 3;
    (*requests)[i].slot = static_cast<uint32_t>(i);
    (*requests)[i].next = i > first ? &(*requests)[i - 1] : nullptr;
  }
  pool->push(&(*requests)[first + count - 1], &(*requests)[first]);
}

// Takes what has finished; each request may come once.
size_t collect(ThreadPool* pool, std::vector<bool>* seen) {
  size_t count = 0;
  for (Request* request = pool->take_finished(); request != nullptr; request = request->next) {
    CHECK(!(*seen)[request->slot]);
    (*seen)[request->slot] = true;
    CHECK_EQ(request->result, static_cast<int32_t>(request->slot) + 1);
    ++count;
  }
  return count;
}

size_t threads_named_ioengine() {
  size_t count = 0;
  DIR* folder = opendir("/proc/self/task");
  CHECK(folder != nullptr);
  while (const dirent* entry = readdir(folder)) {
    char name[32] = {};
    const std::string path = std::string("/proc/self/task/") + entry->d_name + "/comm";
    FILE* file = std::fopen(path.c_str(), "re");
    if (file == nullptr) continue;
    if (std::fgets(name, sizeof(name), file) != nullptr && std::strncmp(name, "ioengine", 8) == 0) ++count;
    std::fclose(file);
  }
  closedir(folder);
  return count;
}

// A joined thread is listed for a moment longer: the kernel wakes the joiner before it takes the task off the
// list.
bool all_threads_go() {
  for (int round = 0; round < 10000; ++round) {
    if (threads_named_ioengine() == 0) return true;
    usleep(1000);
  }
  return false;
}

void thousands_of_requests() {
  set_context("20,000 requests in batches");
  constexpr size_t kCount = 20000;
  WakeUp wake_up;
  std::vector<Request> requests(kCount);
  std::vector<bool> seen(kCount);
  ThreadPool pool(limits::pool_threads, wake_up.fd, count_up);
  Random random(1);
  size_t pushed = 0;
  size_t finished = 0;
  while (finished < kCount) {
    if (pushed < kCount) {
      const size_t batch = std::min<size_t>(random.between(1, 50), kCount - pushed);
      push_range(&pool, &requests, pushed, batch);
      pushed += batch;
    }
    const size_t got = collect(&pool, &seen);
    finished += got;
    if (got > 0 || finished == pushed) continue;
    // Sleeps only after arming and looking once more, as the scheduler does.
    pool.arm_wake();
    if (!pool.has_finished()) CHECK(wake_up.wait(60000));
    pool.disarm_wake();
  }
  CHECK_EQ(finished, kCount);
  CHECK(threads_named_ioengine() <= limits::local_threads_max + 1);
}

void threads_start_on_demand_and_are_joined() {
  set_context("threads start on demand");
  CHECK(all_threads_go());  // those of the test before
  WakeUp wake_up;
  std::vector<Request> requests(100);
  std::vector<bool> seen(100);
  {
    ThreadPool pool(limits::pool_threads, wake_up.fd, count_up);
    CHECK_EQ(threads_named_ioengine(), 0u);
    push_range(&pool, &requests, 0, 1);
    while (collect(&pool, &seen) == 0) usleep(100);
    CHECK_EQ(threads_named_ioengine(), 1u);
    may_go_on = false;
    push_range(&pool, &requests, 1, 99);
    while (pool.running() < limits::local_threads_max) usleep(100);
    usleep(5000);
    CHECK_EQ(pool.running(), limits::local_threads_max);
    CHECK(threads_named_ioengine() <= limits::local_threads_max + 1);
    may_go_on = true;
    size_t finished = 1;
    while (finished < 100) finished += collect(&pool, &seen);
  }
  CHECK(all_threads_go());
}

void queued_requests_come_back() {
  set_context("take_queued");
  WakeUp wake_up;
  std::vector<Request> requests(500);
  std::vector<bool> seen(500);
  executed = 0;
  may_go_on = false;
  size_t taken_back = 0;
  size_t finished = 0;
  {
    ThreadPool pool(4, wake_up.fd, count_up);
    push_range(&pool, &requests, 0, 500);
    while (pool.running() < 4) usleep(100);
    for (Request* request = pool.take_queued(); request != nullptr; request = request->next) {
      CHECK(!seen[request->slot]);
      seen[request->slot] = true;
      ++taken_back;
    }
    const size_t running = 500 - taken_back;
    CHECK_EQ(pool.running(), running);
    CHECK(running >= 4 && running <= limits::local_threads_max);
    CHECK(pool.take_queued() == nullptr);
    may_go_on = true;
    while (finished < running) finished += collect(&pool, &seen);
    // The pool goes on as before.
    std::vector<Request> more(10);
    std::vector<bool> more_seen(10);
    push_range(&pool, &more, 0, 10);
    for (size_t done = 0; done < 10;) done += collect(&pool, &more_seen);
  }
  CHECK_EQ(executed.load(), 500u - taken_back + 10);
}

// The next request comes at once, while the pool still spins, at about the end of that, and when it sleeps;
// its owner looks, spins or sleeps. Red when a request is lost in between, or when a thread that has just
// finished is not found.
void one_after_the_other() {
  set_context("one after the other");
  const WakeUp wake_up;
  constexpr size_t kRequests = 4000;
  ThreadPool pool(4, wake_up.fd, count_up);
  std::vector<Request> requests(kRequests);
  std::vector<bool> seen(kRequests);
  Random random(7);
  for (size_t i = 0; i < kRequests; ++i) {
    push_range(&pool, &requests, i, 1);
    const uint64_t way = random.below(3);
    if (way == 1) pool.spin(limits::spin_ns);
    size_t finished = 0;
    while (finished == 0) {
      if (way == 2) {
        pool.arm_wake();
        if (!pool.has_finished()) CHECK(wake_up.wait(10000));
        pool.disarm_wake();
      }
      finished = collect(&pool, &seen);
    }
    CHECK_EQ(finished, 1u);
    const uint64_t pause_ns = i % 3 == 0 ? random.below(2 * limits::spin_ns) : 0;
    for (const uint64_t end = monotonic_ns() + pause_ns; monotonic_ns() < end;) {
    }
  }
  CHECK_EQ(threads_named_ioengine(), 1u);
}

int32_t compute(Request* request) {
  for (const uint64_t end = monotonic_ns() + 40 * limits::stuck_ns; monotonic_ns() < end;) {
  }
  return static_cast<int32_t>(request->slot) + 1;
}

// Jobs that take long because they compute get no more threads than there are processors. Where others use
// those as well a thread may stand still for long: so several tries.
void jobs_that_compute_are_not_stuck() {
  set_context("jobs that compute are not stuck");
  size_t fewest = limits::local_threads_max;
  for (int round = 0; round < 10 && fewest > 2; ++round) {
    const WakeUp wake_up;
    std::vector<Request> requests(12);
    std::vector<bool> seen(12);
    ThreadPool pool(2, wake_up.fd, compute);
    batchable = false;
    push_range(&pool, &requests, 0, 12);
    size_t most = 0, finished = 0;
    // Until the first has ended: a thread that has slept meanwhile (a sanitizer's lock) counts as slow then.
    while (finished == 0) {
      most = std::max(most, pool.running());
      usleep(2000);
      finished += collect(&pool, &seen);
    }
    while (finished < 12) finished += collect(&pool, &seen);
    fewest = std::min(fewest, most);
  }
  CHECK(fewest <= 2);
}

bool is_odd(const Request* request, const void*) { return request->slot % 2 == 1; }
bool has_slot(const Request* request, const void* slot) {
  return request->slot == *static_cast<const uint32_t*>(slot);
}

// Single requests leave the queue from its middle and its ends; the others are served as before (closeSync,
// exit).
void chosen_requests_come_back() {
  set_context("take_queued, chosen ones");
  batchable = false;  // the order of the queue is that of the calls
  WakeUp wake_up;
  std::vector<Request> requests(100);
  std::vector<bool> seen(100);
  may_go_on = false;
  ThreadPool pool(2, wake_up.fd, count_up);
  push_range(&pool, &requests, 0, 100);
  constexpr uint32_t kFirst = limits::local_threads_max;  // that no thread has taken
  while (pool.running() < kFirst) usleep(100);
  for (uint32_t slot = kFirst + 1; slot < 100; slot += 2) {
    Request* request = pool.take_queued(is_odd, nullptr);
    CHECK(request != nullptr);
    CHECK_EQ(request->slot, slot);  // in the order of the queue
    CHECK(request->next == nullptr);
    seen[slot] = true;
  }
  CHECK(pool.take_queued(is_odd, nullptr) == nullptr);
  for (const uint32_t slot : {kFirst, 98u}) {
    CHECK(pool.take_queued(has_slot, &slot) != nullptr);
    CHECK(pool.take_queued(has_slot, &slot) == nullptr);
    seen[slot] = true;
  }
  // The tail is where new ones go.
  std::vector<Request> more(4);
  push_range(&pool, &more, 0, 4);
  may_go_on = true;
  std::vector<bool> more_seen(4);
  size_t finished = 0;
  while (finished < kFirst + (100 - kFirst) / 2 - 2 + 4) {
    for (Request* request = pool.take_finished(); request != nullptr; request = request->next) {
      const bool later = request >= &more[0] && request <= &more[3];
      std::vector<bool>& list = later ? more_seen : seen;
      CHECK(!list[request->slot]);
      list[request->slot] = true;
      ++finished;
    }
    usleep(100);
  }
}

}  // namespace

int main() {
  one_after_the_other();
  jobs_that_compute_are_not_stuck();
  batchable = true;
  thousands_of_requests();
  threads_start_on_demand_and_are_joined();
  queued_requests_come_back();
  chosen_requests_come_back();
  return 0;
}
