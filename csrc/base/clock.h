// Monotonic time for budgets. clock_gettime(2) is served by the vDSO: no system call, about 20 ns.
#pragma once

#include <time.h>

#include <cstdint>

namespace ioengine {

inline uint64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace ioengine
