// A counting semaphore over futex(2) whose wait has an end by the monotonic clock: sem_timedwait(3) goes by
// the wall clock, which jumps, and glibc before 2.41 may lose a signal of a condition variable (its bug
// 25847).
#pragma once

#include <linux/futex.h>
#include <time.h>

#include <atomic>
#include <cstdint>

#include "base/clock.h"

// futex(2), which leaves errno alone. A C function, so that a simulation can stand in front of it.
extern "C" void ioengine_futex(uint32_t* word, int operation, uint32_t value, const timespec* timeout);

namespace ioengine {

class Semaphore {
 public:
  // No system call where nobody sleeps.
  void post() {
    count_.fetch_add(1, std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst) > 0) futex(FUTEX_WAKE_PRIVATE, 1, nullptr);
  }

  // Posts that nobody has taken yet: whoever waits, or is about to, is going to.
  uint32_t posted() const { return count_.load(std::memory_order_seq_cst); }

  // False: nobody has posted for so long.
  bool wait(uint64_t most_ns) {
    if (take()) return true;
    const uint64_t end = monotonic_ns() + most_ns;
    sleeping_.fetch_add(1, std::memory_order_seq_cst);
    bool taken = take();
    for (uint64_t now = monotonic_ns(); !taken && now < end; now = monotonic_ns()) {
      const uint64_t left = end - now;
      const timespec timeout = {static_cast<time_t>(left / 1000000000u),
                                static_cast<long>(left % 1000000000u)};
      futex(FUTEX_WAIT_PRIVATE, 0, &timeout);
      taken = take();
    }
    sleeping_.fetch_sub(1, std::memory_order_relaxed);
    return taken || take();
  }

 private:
  bool take() {
    uint32_t count = count_.load(std::memory_order_seq_cst);
    while (count > 0) {
      if (count_.compare_exchange_weak(count, count - 1, std::memory_order_seq_cst)) return true;
    }
    return false;
  }

  void futex(int operation, uint32_t value, const timespec* timeout) {
    ioengine_futex(reinterpret_cast<uint32_t*>(&count_), operation, value, timeout);
  }

  std::atomic<uint32_t> count_{0};
  std::atomic<uint32_t> sleeping_{0};
};

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t), "futex(2) waits on a plain word");

}  // namespace ioengine
