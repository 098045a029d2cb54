// System calls that a signal may interrupt.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace ioengine {

// Makes the call again for as long as signals interrupt it: what it returns, or -errno.
template <typename Call>
int32_t without_eintr(Call call) {
  for (;;) {
    const auto status = call();
    if (status >= 0) return static_cast<int32_t>(status);
    if (errno != EINTR) return -errno;
  }
}

// 0 or -errno. close(2) releases the descriptor whatever it returns: a second attempt after EINTR would close
// a file that another thread has opened meanwhile.
inline int32_t close_once(int fd) {
  if (::close(fd) == 0 || errno == EINTR || errno == EINPROGRESS) return 0;
  return -errno;
}

}  // namespace ioengine
