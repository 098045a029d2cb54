// The fuse of the inline lane: for the waits that no guard foresaw. Every inline call is timed; one that
// slept bars the lane for that mount, longer each time, and the pool serves it meanwhile (H33).
//
// Another one is there for direct writes, where handing them over is what slept (H32).
//
// Where the thread ran slowly because it was preempted, nothing is barred: its count of voluntary context
// switches shows that. A hot loop of reads is timed as a whole, by the coarse clock, and each read of it once
// that was slow; all other calls exactly.
#pragma once

#include <time.h>

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"

namespace ioengine {

class InlineFuse {
 public:
  // In the place of a mount: the look-up of paths, which may cross any number of them.
  static constexpr uint64_t kLookups = ~uint64_t{0};

  // A turn of the event loop makes its first inline call.
  void start_turn(uint64_t now_ns);
  uint64_t now_ns() const { return now_ns_; }

  // Whether the lane has to leave this mount to the pool.
  bool bars(uint64_t mount) const { return now_ns_ < last_until_ns_ && is_barred(mount); }

  // A call that began at `before_ns` and moved `bytes` is over. Returns when.
  uint64_t check(uint64_t mount, uint64_t before_ns, uint64_t bytes = 0) {
    const uint64_t now = exact_now();
    if (is_slow(now - before_ns, bytes) && slept(now)) bar(mount);
    return now;
  }
  // The same where several mounts may be the reason. True: it slept, bar() them.
  bool slept_since(uint64_t before_ns, uint64_t bytes) {
    const uint64_t now = exact_now();
    return is_slow(now - before_ns, bytes) && slept(now);
  }
  // How often this thread has gone to sleep of its own accord.
  static long voluntary_switches();
  // A call that began at `before_ns`, with so many of them, is over: whether it slept, for long.
  static bool has_slept(uint64_t before_ns, long switches) {
    return is_slow(exact_now() - before_ns, 0) && voluntary_switches() != switches;
  }
  // The same as bars(), at this moment: for callers that begin no turn.
  bool bars_now(uint64_t mount) {
    if (last_until_ns_ == 0) return false;
    now_ns_ = exact_now();
    return bars(mount);
  }
  void bar(uint64_t mount);
  // The pool has opened a file on the mount. Where that is still slow, the bar goes on: one more attempt on
  // this thread, every minute, is left for mounts that nobody opens anything on.
  void opened_elsewhere(uint64_t mount, uint64_t took_ns) {
    if (took_ns > limits::inline_slow_ns && !bars_.empty()) prolong(mount);
  }

  // When a single read begins; 0 where the coarse clock is enough. `first`: of this turn.
  uint64_t before_read(bool first) const {
    if (first) return exact_first_ ? now_ns_ : 0;
    return now_ns_ < watch_until_ns_ ? exact_now() : 0;
  }
  // `before_ns` is 0 only for the first read of a turn.
  void check_read(uint64_t mount, uint64_t before_ns, uint64_t bytes) {
    if (before_ns != 0) {
      check(mount, before_ns, bytes);
    } else if (is_coarsely_slow()) {
      check(mount, now_ns_, bytes);
    }
  }
  // Several reads have been served since the turn began. JavaScript ran in between, so it may be that which
  // took the time: the next ones are watched.
  void end_turn() {
    if (is_coarsely_slow()) watch();
  }

  // Looks at files are good that were taken later than this.
  uint64_t looked_after_ns() const { return looked_after_ns_; }
  // None is until the clock has been read anew.
  void forget_clock() { looked_after_ns_ = ~uint64_t{0}; }
  // None of those that were taken before is good any more.
  void look_again() {
    forget_clock();
    changed_ns_ = now_ns_;
  }
  uint64_t look_from(uint64_t oldest_ns) {
    looked_after_ns_ = oldest_ns > changed_ns_ ? oldest_ns : changed_ns_;
    return looked_after_ns_;
  }
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
  static uint64_t exact_now() { return monotonic_ns(); }
  // Copying takes its time as well: a nanosecond for a byte is a slow machine.
  static bool is_slow(uint64_t took_ns, uint64_t bytes) { return took_ns >= limits::inline_slow_ns + bytes; }
  bool slept(uint64_t now_ns);
  bool is_barred(uint64_t mount) const;
  void prolong(uint64_t mount);
  bool is_coarsely_slow() const { return coarse_now() - turn_coarse_ns_ >= kCoarseSlow_ns; }
  void watch();
  Bar* entry_of(uint64_t mount);

  uint64_t now_ns_ = 0;
  uint64_t turn_coarse_ns_ = 0;
  uint64_t counted_ns_ = 0;  // when switches_ was read
  long switches_ = 0;
  bool exact_first_ = false;
  uint64_t watch_until_ns_ = 0;  // every read is timed exactly until then
  uint64_t last_until_ns_ = 0;
  uint64_t looked_after_ns_ = ~uint64_t{0};
  uint64_t changed_ns_ = 0;
  uint64_t times_ = 0;
  std::vector<Bar> bars_;
};

}  // namespace ioengine
