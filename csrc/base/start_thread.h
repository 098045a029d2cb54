// Threads of the engine. Signals stay with the threads that expect them: one that took SIGTERM would run
// handlers nobody wrote for it.
#pragma once

#include <pthread.h>
#include <signal.h>

#include "base/limits.h"

namespace ioengine {

// False: there is none to be had (RLIMIT_NPROC, the cgroup's pids.max).
inline bool start_thread(pthread_t* thread, void* (*body)(void*), void* argument) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, limits::pool_stack_bytes);
  const int status = pthread_create(thread, &attributes, body, argument);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return status == 0;
}

}  // namespace ioengine
