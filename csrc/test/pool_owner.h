// A pool and its owner, who sleeps until requests have come back, as the event loop does.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/threads/thread_pool.h"

namespace ioengine::test {

class PoolOwner {
 public:
  PoolOwner(size_t processors, ThreadPool::Execute execute)
      : wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), pool_(processors, wake_fd_, execute) {}
  ~PoolOwner() { close(wake_fd_); }

  ThreadPool* pool() { return &pool_; }
  size_t wake_ups() const { return wake_ups_; }

  // All at once, with slots from `first_slot` on.
  void push(std::vector<Request>* requests, uint32_t first_slot, bool batchable) {
    for (size_t i = 0; i < requests->size(); ++i) {
      (*requests)[i].slot = first_slot + static_cast<uint32_t>(i);
      (*requests)[i].batchable = batchable;
      (*requests)[i].next = i > 0 ? &(*requests)[i - 1] : nullptr;
    }
    pool_.push(&requests->back(), &requests->front());
  }

  // Sleeps until so many have come back. False: it has not been woken up for so long, or there were more.
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
      ++wake_ups_;
      pool_.disarm_wake();
    }
  }

 private:
  const int wake_fd_;
  ThreadPool pool_;
  size_t wake_ups_ = 0;
};

}  // namespace ioengine::test
