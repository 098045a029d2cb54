#include "jobs/transfer.h"

#include "base/eintr.h"

namespace ioengine {

int32_t read_vectors(int fd, const iovec* vectors, int count, int64_t position) {
  if (position < 0) return without_eintr([&] { return ::readv(fd, vectors, count); });
  return without_eintr([&] { return ::preadv(fd, vectors, count, static_cast<off_t>(position)); });
}

int32_t write_vectors(int fd, const iovec* vectors, int count, int64_t position) {
  if (position < 0) return without_eintr([&] { return ::writev(fd, vectors, count); });
  return without_eintr([&] { return ::pwritev(fd, vectors, count, static_cast<off_t>(position)); });
}

}  // namespace ioengine
