// Monotonic time. clock_gettime(2) is served by the vDSO: no system call, 20 to 40 ns.
#pragma once

#include <time.h>

#include <cstdint>

namespace ioengine {

inline uint64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

// The same clock as of the last tick of the kernel, 1 to 10 ms ago: an eighth of the price.
inline uint64_t coarse_monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

// What a thread (pthread_getcpuclockid(3)), or all of this process, has used of the processors. A system
// call, about a microsecond.
inline uint64_t cpu_ns(clockid_t clock) {
  timespec used;
  if (clock_gettime(clock, &used) != 0) return 0;
  return static_cast<uint64_t>(used.tv_sec) * 1000000000u + static_cast<uint64_t>(used.tv_nsec);
}
inline uint64_t process_cpu_ns() { return cpu_ns(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace ioengine
