#include "test/ring_faults.h"

#include <cerrno>

#include "backend/uring/uring_backend.h"

namespace ioengine::test {

RingFaults ring_faults;

namespace {

// The error that this call of io_uring_enter fails with, or 0.
int next_error() {
  ++ring_faults.calls;
  if (ring_faults.error == 0 || ring_faults.times == 0) return 0;
  --ring_faults.times;
  return ring_faults.error;
}

}  // namespace
}  // namespace ioengine::test

using ioengine::test::next_error;
using ioengine::test::ring_faults;

// The linker's names (ld --wrap).
extern "C" {

int __real_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* params);
int __real_io_uring_submit(io_uring* ring);
int __real_io_uring_submit_and_get_events(io_uring* ring);
int __real_io_uring_get_events(io_uring* ring);

int __wrap_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* params) {
  if ((params->flags & ring_faults.unknown_setup_flags) != 0) return -EINVAL;
  return __real_io_uring_queue_init_params(entries, ring, params);
}

int __wrap_io_uring_submit(io_uring* ring) {
  const int error = next_error();
  return error != 0 ? -error : __real_io_uring_submit(ring);
}

int __wrap_io_uring_submit_and_get_events(io_uring* ring) {
  const int error = next_error();
  return error != 0 ? -error : __real_io_uring_submit_and_get_events(ring);
}

int __wrap_io_uring_get_events(io_uring* ring) {
  const int error = next_error();
  return error != 0 ? -error : __real_io_uring_get_events(ring);
}

}  // extern "C"
