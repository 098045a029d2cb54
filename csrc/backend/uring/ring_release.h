// When the kernel has let go of a ring that was closed. Closing it cancels what can be cancelled and returns
// at once; the kernel writes into buffers for as long as the rest takes (H1). The end of a pipe that only the
// ring holds, as a registered file, is closed with the last of its requests: the other end hangs up.
#pragma once

#include <liburing.h>
#include <pthread.h>

#include "base/owned_fd.h"

namespace ioengine {

class RingRelease {
 public:
  RingRelease() = default;
  RingRelease(const RingRelease&) = delete;
  RingRelease& operator=(const RingRelease&) = delete;
  // Waits for the thread of announce(), which ends when the ring is released.
  ~RingRelease();

  // Gives the pipe to a new ring. 0, or -errno.
  int watch(io_uring* ring);
  bool is_over() const;
  // The ring has been closed: writes to `wake_fd` when it is released. False where no thread can be had.
  bool announce(int wake_fd);

 private:
  static void* wait(void* self);

  OwnedFd end_;
  int wake_fd_ = -1;
  pthread_t thread_ = {};
  bool waiting_ = false;
};

}  // namespace ioengine
