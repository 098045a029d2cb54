// In front of liburing and of the start of threads, for the addon. The native tests have stand-ins of their
// own.
#include <pthread.h>

#include "backend/uring/uring_backend.h"
#include "faults/fault_plan.h"

using ioengine::faults::Action;
using ioengine::faults::next;
using ioengine::faults::Site;

extern "C" {

int __real_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* params);
int __wrap_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* params) {
  const Action action = next(Site::io_uring_setup);
  return action.fails() ? -action.value : __real_io_uring_queue_init_params(entries, ring, params);
}

int __real_io_uring_register_probe(io_uring* ring, io_uring_probe* probe, unsigned count);
int __wrap_io_uring_register_probe(io_uring* ring, io_uring_probe* probe, unsigned count) {
  const Action action = next(Site::io_uring_register);
  return action.fails() ? -action.value : __real_io_uring_register_probe(ring, probe, count);
}

int __real_io_uring_register_eventfd(io_uring* ring, int fd);
int __wrap_io_uring_register_eventfd(io_uring* ring, int fd) {
  const Action action = next(Site::io_uring_register);
  return action.fails() ? -action.value : __real_io_uring_register_eventfd(ring, fd);
}

int __real_io_uring_submit(io_uring* ring);
int __wrap_io_uring_submit(io_uring* ring) {
  const Action action = next(Site::io_uring_submit);
  return action.fails() ? -action.value : __real_io_uring_submit(ring);
}

int __real_io_uring_submit_and_get_events(io_uring* ring);
int __wrap_io_uring_submit_and_get_events(io_uring* ring) {
  const Action action = next(Site::io_uring_submit);
  return action.fails() ? -action.value : __real_io_uring_submit_and_get_events(ring);
}

int __real_io_uring_get_events(io_uring* ring);
int __wrap_io_uring_get_events(io_uring* ring) {
  const Action action = next(Site::io_uring_get_events);
  return action.fails() ? -action.value : __real_io_uring_get_events(ring);
}

int __real_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                          void* argument);
int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                          void* argument) {
  const Action action = next(Site::pthread_create);
  return action.fails() ? action.value : __real_pthread_create(thread, attributes, body, argument);
}

}  // extern "C"
