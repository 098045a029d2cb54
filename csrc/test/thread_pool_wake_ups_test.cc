// The pool's wake-ups: its owner hears of several short jobs at once, and of what has finished though the
// next job does not come back.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "backend/threads/thread_pool.h"
#include "base/clock.h"
#include "base/limits.h"
#include "test/check.h"

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

class Owner {
 public:
  explicit Owner(size_t processors)
      : wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), pool_(processors, wake_fd_, compute) {}
  ~Owner() { close(wake_fd_); }

  ThreadPool* pool() { return &pool_; }
  size_t wake_ups() const { return wake_ups_; }

  void push(std::vector<Request>* requests, uint32_t first_slot) {
    for (size_t i = 0; i < requests->size(); ++i) {
      (*requests)[i].slot = first_slot + static_cast<uint32_t>(i);
      (*requests)[i].next = i > 0 ? &(*requests)[i - 1] : nullptr;
    }
    pool_.push(&requests->back(), &requests->front());
  }

  // Sleeps until so many have come back. False: it has not been woken up for so long.
  bool wait_for(size_t count, int timeout_ms) {
    for (size_t finished = 0;;) {
      for (Request* request = pool_.take_finished(); request != nullptr; request = request->next) ++finished;
      if (finished >= count) return true;
      pool_.arm_wake();
      if (!pool_.has_announced()) {
        pollfd poller = {wake_fd_, POLLIN, 0};
        if (poll(&poller, 1, timeout_ms) != 1) return false;
        eventfd_t written;
        eventfd_read(wake_fd_, &written);
      }
      ++wake_ups_;
      pool_.disarm_wake();
    }
  }

 private:
  const int wake_fd_;
  ThreadPool pool_;
  size_t wake_ups_ = 0;
};

// One thread watches by then: the queue was long.
void warm_up(Owner* owner) {
  std::vector<Request> requests(200);
  owner->push(&requests, 0);
  CHECK(owner->wait_for(requests.size(), 60000));
}

// On a machine whose processors are taken away from us a job is not short: so several tries.
void short_jobs_are_announced_together() {
  set_context("short jobs are announced together");
  constexpr size_t kJobs = 400;
  size_t fewest = kJobs;
  job_ns = limits::short_job_ns / 2;  // longer than it takes to wake the owner up
  for (int round = 0; round < 20 && fewest > kJobs / 4; ++round) {
    Owner owner(2);
    warm_up(&owner);
    const size_t before = owner.wake_ups();
    std::vector<Request> requests(kJobs);
    owner.push(&requests, 0);
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
    Owner owner(2);
    warm_up(&owner);
    may_come_back = false;
    std::vector<Request> short_ones(6), hanging_ones(4);
    owner.push(&short_ones, 0);
    owner.push(&hanging_ones, kHangs);
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
