#include "backend/uring/ring_release.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

#include "base/start_thread.h"

namespace ioengine {

RingRelease::~RingRelease() {
  if (waiting_) pthread_join(thread_, nullptr);
}

int RingRelease::watch(io_uring* ring) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
  end_ = OwnedFd(ends[0]);
  const OwnedFd of_ring(ends[1]);
  return io_uring_register_files(ring, ends + 1, 1);
}

bool RingRelease::is_over() const {
  pollfd end = {end_.get(), 0, 0};
  return poll(&end, 1, 0) == 1 && (end.revents & POLLHUP) != 0;
}

bool RingRelease::announce(int wake_fd) {
  wake_fd_ = wake_fd;
  waiting_ = start_thread(&thread_, wait, this);
  return waiting_;
}

void* RingRelease::wait(void* argument) {
  const auto* self = static_cast<RingRelease*>(argument);
  prctl(PR_SET_NAME, "ioengine-ring");
  pollfd end = {self->end_.get(), 0, 0};
  while (poll(&end, 1, -1) != 1) {
  }
  eventfd_write(self->wake_fd_, 1);
  return nullptr;
}

}  // namespace ioengine
