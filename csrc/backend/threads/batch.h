// What a thread of the pool has in hand: the request that it runs, and a few more that it has taken with it.
// The thread goes from one to the next without the pool's lock; others look at them and take them back with
// the lock held.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "backend/request.h"
#include "base/limits.h"

namespace ioengine {

// Taken and not begun. Filled by its thread with the lock held, while it is empty.
class Batch {
 public:
  Request** space() { return requests_; }
  void fill(size_t count) {
    count_ = count;
    left_.store(count, std::memory_order_release);
  }

  // By its thread: the next one in the order of the queue, or null.
  Request* pop() {
    size_t left = left_.load(std::memory_order_acquire);
    while (left > 0 && !left_.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel)) {
    }
    return left > 0 ? requests_[count_ - left] : nullptr;
  }

  // By anyone with the lock held: all that is left, which is nobody's then.
  Request* const* take_back(size_t* count) {
    *count = left_.exchange(0, std::memory_order_acq_rel);
    return requests_ + count_ - *count;
  }

 private:
  Request* requests_[limits::batch_jobs] = {};
  size_t count_ = 0;
  std::atomic<size_t> left_{0};
};

// The request that a thread runs. Whoever looks at it holds on to it: then its thread gives it back with the
// lock held, so that nobody looks at one that its owner has taken back.
class RunningRequest {
 public:
  void set(Request* request) { bits_.store(bits_of(request), std::memory_order_release); }

  // By its thread, when it has been executed. True: somebody holds on to it.
  bool clear() { return (bits_.exchange(0, std::memory_order_acq_rel) & kHeld) != 0; }

  bool empty() const { return bits_.load(std::memory_order_acquire) == 0; }

  // With the lock held; null if it has been executed.
  Request* hold() {
    uintptr_t bits = bits_.load(std::memory_order_acquire);
    while (bits != 0 && !bits_.compare_exchange_weak(bits, bits | kHeld, std::memory_order_acq_rel)) {
    }
    return reinterpret_cast<Request*>(bits & ~kHeld);
  }

 private:
  static constexpr uintptr_t kHeld = 1;
  static uintptr_t bits_of(Request* request) { return reinterpret_cast<uintptr_t>(request); }

  std::atomic<uintptr_t> bits_{0};
};

}  // namespace ioengine
