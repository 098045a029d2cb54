// The fuse of the inline lane: for the waits that no guard foresaw. Every inline call is timed; one that slept
// bars the lane for that mount, longer each time, and the pool serves it meanwhile (H33).
//
// Where the thread ran slowly because it was preempted, nothing is barred: its count of voluntary context
// switches tells. Single reads of a hot loop are timed by the coarse clock, all others exactly.
#pragma once

#include <time.h>

#include <cstdint>
#include <vector>

#include "base/limits.h"

namespace ioengine {

class InlineFuse {
 public:
  // In the place of a mount: the look-up of paths, which may cross any number of them.
  static constexpr uint64_t kLookups = ~uint64_t{0};

  // A turn of the event loop asks for its first inline call.
  void start_turn(uint64_t now_ns);
  uint64_t now_ns() const { return now_ns_; }

  // Whether the lane has to leave this mount to the pool.
  bool bars(uint64_t mount) const { return now_ns_ < last_until_ns_ && is_barred(mount); }

  // A call that began at `before_ns` and moved `bytes` is over.
  void check(uint64_t mount, uint64_t before_ns, uint64_t bytes = 0);
  // The same where several mounts may be the reason. True: it slept, bar() them.
  bool slept_since(uint64_t before_ns, uint64_t bytes);
  void bar(uint64_t mount);
  // The pool has opened a file on the mount. Where that is still slow, the bar goes on: asking once more on this
  // thread, every minute, is left for mounts that nobody opens anything on.
  void opened_elsewhere(uint64_t mount, uint64_t took_ns) {
    if (took_ns > limits::inline_slow_ns && !bars_.empty()) prolong(mount);
  }

  // When a single read begins; 0 where the coarse clock is enough. `first`: of this turn.
  uint64_t before_read(bool first) const {
    if (first) return exact_first_ ? now_ns_ : 0;
    return now_ns_ < watch_until_ns_ ? exact_now() : 0;
  }
  void check_read(uint64_t mount, uint64_t before_ns, bool first, uint64_t bytes) {
    if (before_ns != 0) {
      check(mount, before_ns, bytes);
    } else if (coarse_now() - turn_coarse_ns_ >= kCoarseSlow_ns) {
      suspect(mount, first, bytes);
    }
  }

  // When a bar was last put up.
  uint64_t last_change_ns() const { return last_change_ns_; }
  uint64_t barred_mounts();
  uint64_t times() const { return times_; }

 private:
  // More than one tick of the slowest kernels (HZ=250).
  static constexpr uint64_t kCoarseSlow_ns = 5 * 1000 * 1000;

  struct Bar {
    uint64_t mount;
    uint64_t until_ns;
    uint64_t length_ns;
  };

  static uint64_t coarse_now() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
  }
  static uint64_t exact_now();
  static long voluntary_switches();
  bool is_barred(uint64_t mount) const;
  void prolong(uint64_t mount);
  void suspect(uint64_t mount, bool first, uint64_t bytes);
  Bar* entry_of(uint64_t mount);

  uint64_t now_ns_ = 0;
  uint64_t turn_coarse_ns_ = 0;
  uint64_t counted_ns_ = 0;  // when switches_ was read
  long switches_ = 0;
  bool exact_first_ = false;
  uint64_t watch_until_ns_ = 0;  // every read is timed exactly until then
  uint64_t last_until_ns_ = 0;
  uint64_t last_change_ns_ = 0;
  uint64_t times_ = 0;
  std::vector<Bar> bars_;
};

}  // namespace ioengine
