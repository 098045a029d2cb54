#include "jobs/reserved_number.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/eintr.h"
#include "base/owned_fd.h"
#include "jobs/result_codes.h"

namespace ioengine {

int32_t move_to_number(int fd, int number) {
  const int32_t moved = without_eintr([=] { return dup3(fd, number, O_CLOEXEC); });
  ::close(fd);
  return moved;
}

int32_t close_keeping_number(int fd) {
  // Like a closed number it fails with EBADF, and its own close flushes nothing.
  const OwnedFd nothing(::open("/", O_PATH | O_CLOEXEC));
  const int same_file = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (!nothing.is_open() || same_file == -1) {
    if (same_file != -1) ::close(same_file);
    return kUnsupported;
  }
  // dup3(2) keeps to itself what closing the file says. Each close of a file asks the filesystem, so the one
  // before tells it.
  const int32_t closed = close_once(same_file);
  const int32_t left = without_eintr([&] { return dup3(nothing.get(), fd, O_CLOEXEC); });
  return left < 0 ? kUnsupported : -closed;
}

}  // namespace ioengine
