// Look-ups that a thread of the pool takes several at a time: none waits behind one that does not come back,
// the owner hears of those that have finished, and gets back those that nobody has begun.
#include <poll.h>
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
#include "test/pool_owner.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

std::atomic<bool> may_come_back{true};
std::atomic<uint32_t> hanging{0};
std::atomic<uint32_t> hanging_slot{0};
std::atomic<uint32_t> executed{0};
constexpr uint32_t kNone = ~0u;
std::atomic<uint64_t> job_ns{2000};  // how long the others compute

// A change, and whether it began before a look-up that had been asked for earlier.
constexpr uint32_t kChange = 5000;
std::atomic<uint32_t> begun{0};
std::atomic<uint32_t> begun_before_change{0};

int32_t run(Request* request) {
  if (request->slot == kChange) begun_before_change = begun.load();
  begun.fetch_add(1);
  if (request->slot == hanging_slot.load()) {
    hanging.fetch_add(1);
    while (!may_come_back.load()) usleep(2000);
  }
  for (const uint64_t end = monotonic_ns() + job_ns.load(); monotonic_ns() < end;) {
  }
  executed.fetch_add(1);
  return 0;
}

// Each place hangs once, in batches of all sizes: those in front of it and behind it come back all the same,
// and their owner hears of them.
void nothing_waits_behind_one_that_hangs(size_t processors) {
  set_context("nothing waits behind one that hangs");
  for (const uint32_t count : {2u, 3u, 4u, 8u, 9u, 20u}) {
    for (uint32_t slot = 0; slot < count; ++slot) {
      PoolOwner owner(processors, run);
      std::vector<Request> requests(count);
      hanging_slot = slot;
      may_come_back = false;
      owner.push(&requests, 0, true);
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
  PoolOwner owner(1, run);  // one batch for all
  std::vector<Request> requests(3);
  hanging_slot = 2;
  hanging = 0;
  may_come_back = false;
  owner.push(&requests, 0, true);
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
    PoolOwner owner(2, run);
    std::vector<Request> first(100), requests(8);
    hanging_slot = 1000;
    may_come_back = true;
    owner.push(&first, 0, true);  // starts the threads
    CHECK(owner.wait_for(first.size(), 10000));
    may_come_back = false;
    const uint64_t before = monotonic_ns();
    owner.push(&requests, 1000, true);
    CHECK(owner.wait_for(requests.size() - 1, 10000));
    shortest_ns = std::min(shortest_ns, monotonic_ns() - before);
    may_come_back = true;
    CHECK(owner.wait_for(1, 10000));
  }
  CHECK(shortest_ns <= limits::stuck_ns / 2);
}

// Links and other names of a file tell nobody that a look-up and a change are about the same: then the order
// in which they begin is that of the calls, as in libuv.
void a_change_begins_after_earlier_look_ups() {
  set_context("a change begins after earlier look-ups");
  job_ns = limits::short_job_ns / 4;
  hanging_slot = kNone;
  may_come_back = true;
  for (int round = 0; round < 100; ++round) {
    PoolOwner owner(2, run);
    std::vector<Request> look_ups(12), change(1);
    begun = 0;
    owner.push(&look_ups, 0, true);
    owner.push(&change, kChange, false);
    CHECK(owner.wait_for(13, 10000));
    CHECK(begun_before_change.load() >=
          10);  // one or two may be between the queue and their first instruction
  }
  job_ns = 2000;
}

// One that is looked at when it is over is nobody's to hold, and leaves no trace.
void what_is_over_cannot_be_held() {
  set_context("what is over cannot be held");
  RunningRequest running;
  Request request;
  running.set(&request);
  CHECK(running.hold() == &request && running.hold() == &request);
  CHECK(running.clear());
  CHECK(running.hold() == nullptr && running.empty());
  running.set(&request);
  CHECK(!running.clear() && running.empty());
}

// On one processor one thread has a share of all that waits, and the first hangs.
void those_not_begun_are_taken_back() {
  set_context("those not begun are taken back");
  for (int round = 0; round < 50; ++round) {
    PoolOwner owner(1, run);
    std::vector<Request> requests(20);
    hanging_slot = 0;
    hanging = executed = 0;
    may_come_back = false;
    owner.push(&requests, 0, true);
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
  PoolOwner owner(2, run);
  hanging_slot = kNone;
  for (int round = 0; round < 200; ++round) {
    std::vector<Request> requests(200);
    owner.push(&requests, 0, true);
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
  what_is_over_cannot_be_held();
  a_change_begins_after_earlier_look_ups();
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
