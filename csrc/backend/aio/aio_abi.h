// Linux native AIO without libaio: the five system calls and the completion ring that the kernel maps for the
// context (fs/aio.c, struct aio_ring). The ring is not in the uapi headers, but libaio has read it for 20
// years and its magic number and feature words say whether we may.
#pragma once

#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace ioengine::aio {

constexpr unsigned kRingMagic = 0xa10a10a1;

struct Ring {
  unsigned id;
  unsigned nr;
  unsigned head;
  unsigned tail;
  unsigned magic;
  unsigned compat_features;
  unsigned incompat_features;
  unsigned header_length;
  io_event events[];
};

// Raw system calls return -1 and set errno; these return -errno, as the rest of the engine does.
inline long negative_errno(long status) { return status == -1 ? -errno : status; }

inline long setup(unsigned depth, aio_context_t* context) {
  return negative_errno(syscall(SYS_io_setup, depth, context));
}
inline long destroy(aio_context_t context) { return negative_errno(syscall(SYS_io_destroy, context)); }
inline long submit(aio_context_t context, long count, iocb** requests) {
  return negative_errno(syscall(SYS_io_submit, context, count, requests));
}
inline long get_events(aio_context_t context, long min, long max, io_event* events, timespec* timeout) {
  return negative_errno(syscall(SYS_io_getevents, context, min, max, events, timeout));
}

}  // namespace ioengine::aio
