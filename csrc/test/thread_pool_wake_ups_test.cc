// The pool's wake-ups: its owner hears of several short jobs at once, and of what has finished though the
// next job does not come back.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "backend/threads/thread_pool.h"
#include "base/clock.h"
#include "base/limits.h"
#include "test/check.h"
#include "test/pool_owner.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

constexpr uint32_t kHangs = 1u << 20;  // slots from here on are those of jobs that do not come back
std::atomic<bool> may_come_back{true};
std::atomic<uint64_t> job_ns{5000};  // how long the others compute

int32_t compute(Request* request) {
  if (request->slot >= kHangs) {
    while (!may_come_back.load()) usleep(500);
  }
  for (const uint64_t end = monotonic_ns() + job_ns.load(); monotonic_ns() < end;) {
  }
  return 0;
}

// One thread watches by then: the queue was long.
void warm_up(PoolOwner* owner) {
  std::vector<Request> requests(200);
  owner->push(&requests, 0, false);
  CHECK(owner->wait_for(requests.size(), 60000));
}

// On a machine whose processors are taken away from us a job is not short: so several tries.
void short_jobs_are_announced_together() {
  set_context("short jobs are announced together");
  constexpr size_t kJobs = 400;
  size_t fewest = kJobs;
  job_ns = limits::short_job_ns / 2;  // longer than it takes to wake the owner up
  for (int round = 0; round < 20 && fewest > kJobs / 4; ++round) {
    PoolOwner owner(2, compute);
    warm_up(&owner);
    const size_t before = owner.wake_ups();
    std::vector<Request> requests(kJobs);
    owner.push(&requests, 0, false);
    CHECK(owner.wait_for(kJobs, 60000));
    fewest = std::min(fewest, owner.wake_ups() - before);
  }
  CHECK(fewest <= kJobs / 4);
  job_ns = 5000;
}

// As many as run at once hang behind a few that have finished.
void what_has_finished_is_not_held_back() {
  set_context("what has finished is not held back");
  for (int round = 0; round < 20; ++round) {
    PoolOwner owner(2, compute);
    warm_up(&owner);
    may_come_back = false;
    std::vector<Request> short_ones(6), hanging_ones(4);
    owner.push(&short_ones, 0, false);
    owner.push(&hanging_ones, kHangs, false);
    CHECK(owner.wait_for(short_ones.size(), 10000));
    may_come_back = true;
    CHECK(owner.wait_for(hanging_ones.size(), 60000));
  }
}

}  // namespace

int main() {
  short_jobs_are_announced_together();
  what_has_finished_is_not_held_back();
  return 0;
}
