#include "jobs/unaligned_direct_write.h"

#include <fcntl.h>

#include <cerrno>

#include "jobs/transfer.h"

namespace ioengine {

int32_t unaligned_direct_write(int fd, const iovec* vectors, int count, int64_t position) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags == -1) return -errno;
  if (fcntl(fd, F_SETFL, flags & ~O_DIRECT) == -1) return -errno;
  const int32_t result = write_vectors(fd, vectors, count, position);
  fcntl(fd, F_SETFL, flags);
  return result;
}

}  // namespace ioengine
