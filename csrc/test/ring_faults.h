// Failures of io_uring_setup and io_uring_enter, as a late seccomp filter, memory that runs short or an old
// kernel make them. The native tests are linked so that the engine's calls of liburing come through here.
#pragma once

#include <cstdint>

namespace ioengine::test {

struct RingFaults {
  int error = 0;                     // errno of io_uring_enter, 0: none
  uint32_t times = 0;                // of the next so many calls
  unsigned unknown_setup_flags = 0;  // io_uring_setup says EINVAL to these
  uint32_t calls = 0;                // of io_uring_enter, failed or not

  void fail(int with, uint32_t so_often = ~uint32_t{0}) {
    error = with;
    times = so_often;
  }
};

extern RingFaults ring_faults;

}  // namespace ioengine::test
