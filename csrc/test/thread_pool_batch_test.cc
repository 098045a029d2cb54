// Look-ups that a thread of the pool takes several at a time: none waits behind one that does not come back,
// the owner hears of those that have finished, and gets back those that nobody has begun.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "backend/threads/batch.h"
#include "backend/threads/thread_pool.h"
#include "base/clock.h"
#include "base/limits.h"
#include "test/check.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

std::atomic<bool> may_come_back{true};
std::atomic<uint32_t> hanging{0};
std::atomic<uint32_t> hanging_slot{0};
std::atomic<uint32_t> executed{0};
constexpr uint32_t kNone = ~0u;
std::atomic<uint64_t> job_ns{2000};  // how long the others compute

int32_t run(Request* request) {
  if (request->slot == hanging_slot.load()) {
    hanging.fetch_add(1);
    while (!may_come_back.load()) usleep(2000);
  }
  for (const uint64_t end = monotonic_ns() + job_ns.load(); monotonic_ns() < end;) {
  }
  executed.fetch_add(1);
  return 0;
}

class Owner {
 public:
  explicit Owner(size_t processors)
      : wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), pool_(processors, wake_fd_, run) {}
  ~Owner() { close(wake_fd_); }

  ThreadPool* pool() { return &pool_; }

  void push(std::vector<Request>* requests, uint32_t first_slot) {
    for (size_t i = 0; i < requests->size(); ++i) {
      (*requests)[i].slot = first_slot + static_cast<uint32_t>(i);
      (*requests)[i].batchable = true;
      (*requests)[i].next = i > 0 ? &(*requests)[i - 1] : nullptr;
    }
    pool_.push(&requests->back(), &requests->front());
  }

  // Sleeps until so many have come back. False: it has not been woken up for so long.
  bool wait_for(size_t count, int timeout_ms) {
    for (size_t finished = 0;;) {
      for (Request* request = pool_.take_finished(); request != nullptr; request = request->next) ++finished;
      if (finished >= count) return finished == count;
      pool_.arm_wake();
      if (!pool_.has_announced()) {
        pollfd poller = {wake_fd_, POLLIN, 0};
        if (poll(&poller, 1, timeout_ms) != 1) return false;
        eventfd_t written;
        eventfd_read(wake_fd_, &written);
      }
      pool_.disarm_wake();
    }
  }

 private:
  const int wake_fd_;
  ThreadPool pool_;
};

// Each place hangs once, in batches of all sizes: those in front of it and behind it come back all the same,
// and their owner hears of them.
void nothing_waits_behind_one_that_hangs(size_t processors) {
  set_context("nothing waits behind one that hangs");
  for (const uint32_t count : {2u, 3u, 4u, 8u, 9u, 20u}) {
    for (uint32_t slot = 0; slot < count; ++slot) {
      Owner owner(processors);
      std::vector<Request> requests(count);
      hanging_slot = slot;
      may_come_back = false;
      owner.push(&requests, 0);
      CHECK(owner.wait_for(count - 1, 10000));
      may_come_back = true;
      CHECK(owner.wait_for(1, 10000));
    }
  }
}

long sleeps_of_process() {
  rusage usage;
  CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
  return usage.ru_nvcsw;
}

// The last of a batch does not come back: once it is known to be stuck nothing waits, and nobody watches.
void nobody_watches_for_ever() {
  set_context("nobody watches for ever");
  constexpr int kIdleMs = 200;
  Owner owner(1);  // one batch for all
  std::vector<Request> requests(3);
  hanging_slot = 2;
  hanging = 0;
  may_come_back = false;
  owner.push(&requests, 0);
  CHECK(owner.wait_for(2, 10000));
  poll(nullptr, 0, 200);  // looks_without_work looks, and more than that
  const long before = sleeps_of_process();
  poll(nullptr, 0, kIdleMs);
  // The one that hangs sleeps every two milliseconds.
  CHECK(sleeps_of_process() - before < kIdleMs / 2 + kIdleMs / 4);
  may_come_back = true;
  CHECK(owner.wait_for(1, 10000));
}

// The thread that is free takes them at once, and not when somebody has found out that they wait. Where
// others use the processors it may come late: so several tries.
void a_free_thread_takes_them_at_once() {
  set_context("a free thread takes them at once");
  uint64_t shortest_ns = ~uint64_t{0};
  for (int round = 0; round < 100 && shortest_ns > limits::stuck_ns / 2; ++round) {
    Owner owner(2);
    std::vector<Request> first(100), requests(8);
    hanging_slot = 1000;
    may_come_back = true;
    owner.push(&first, 0);  // starts the threads
    CHECK(owner.wait_for(first.size(), 10000));
    may_come_back = false;
    const uint64_t before = monotonic_ns();
    owner.push(&requests, 1000);
    CHECK(owner.wait_for(requests.size() - 1, 10000));
    shortest_ns = std::min(shortest_ns, monotonic_ns() - before);
    may_come_back = true;
    CHECK(owner.wait_for(1, 10000));
  }
  CHECK(shortest_ns <= limits::stuck_ns / 2);
}

// On one processor one thread has a share of all that waits, and the first hangs.
void those_not_begun_are_taken_back() {
  set_context("those not begun are taken back");
  for (int round = 0; round < 50; ++round) {
    Owner owner(1);
    std::vector<Request> requests(20);
    hanging_slot = 0;
    hanging = executed = 0;
    may_come_back = false;
    owner.push(&requests, 0);
    while (hanging.load() == 0) {
    }
    size_t taken_back = 0;
    for (Request* request = owner.pool()->take_queued(); request != nullptr; request = request->next)
      ++taken_back;
    may_come_back = true;
    CHECK(owner.wait_for(requests.size() - taken_back, 10000));
    CHECK_EQ(executed.load(), requests.size() - taken_back);
    CHECK(owner.pool()->take_queued() == nullptr);
  }
}

// One thread takes from the front while another takes back the rest: each request goes to one of them.
void a_batch_has_one_owner_each() {
  set_context("a batch has one owner each");
  Request requests[limits::batch_jobs];
  for (int round = 0; round < 2000; ++round) {
    Batch batch;
    for (Request& request : requests) request.slot = 0;
    for (size_t i = 0; i < limits::batch_jobs; ++i) batch.space()[i] = &requests[i];
    batch.fill(limits::batch_jobs);
    std::atomic<bool> go{false};
    pthread_t thread;
    struct Shared {
      Batch* batch;
      std::atomic<bool>* go;
    } shared = {&batch, &go};
    const auto pop_all = [](void* argument) -> void* {
      auto* with = static_cast<Shared*>(argument);
      while (!with->go->load()) {
      }
      while (Request* request = with->batch->pop()) ++request->slot;
      return nullptr;
    };
    CHECK_EQ(pthread_create(&thread, nullptr, pop_all, &shared), 0);
    go = true;
    for (int i = 0; i < round % 50; ++i) asm volatile("");
    size_t count;
    Request* const* taken = batch.take_back(&count);
    for (size_t i = 0; i < count; ++i) ++taken[i]->slot;
    pthread_join(thread, nullptr);
    for (const Request& request : requests) CHECK_EQ(request.slot, 1u);
  }
}

// Those that somebody looks at and that end meanwhile: the pool says nothing wrong of them (TSan, ASan).
void many_with_looks() {
  set_context("many, with looks");
  Owner owner(2);
  hanging_slot = kNone;
  for (int round = 0; round < 200; ++round) {
    std::vector<Request> requests(200);
    owner.push(&requests, 0);
    if (round % 8 == 0) {
      size_t taken_back = 0;
      for (Request* request = owner.pool()->take_queued(); request != nullptr; request = request->next)
        ++taken_back;
      CHECK(taken_back == requests.size() || owner.wait_for(requests.size() - taken_back, 10000));
    } else {
      CHECK(owner.wait_for(requests.size(), 10000));
    }
  }
}

}  // namespace

int main() {
  a_batch_has_one_owner_each();
  nothing_waits_behind_one_that_hangs(1);
  nothing_waits_behind_one_that_hangs(2);
  job_ns = limits::short_job_ns / 4;  // longer than it takes to wake the owner up
  nothing_waits_behind_one_that_hangs(1);
  nothing_waits_behind_one_that_hangs(2);
  job_ns = 2000;
  a_free_thread_takes_them_at_once();
  nobody_watches_for_ever();
  those_not_begun_are_taken_back();
  many_with_looks();
  return 0;
}
