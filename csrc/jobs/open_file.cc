#include "jobs/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/clock.h"
#include "base/eintr.h"
#include "base/statx.h"
#include "jobs/reserved_number.h"
#include "jobs/result_codes.h"

namespace ioengine {
namespace {

int32_t open_retrying(const char* path, int flags, uint32_t mode) {
  return without_eintr([&] { return ::open(path, flags | O_CLOEXEC, mode); });
}

}  // namespace

// FIFOs wait for a peer, devices for whatever their driver likes, sockets fail: node:fs does all that well.
bool may_wait_on_open(const std::string& path) {
  struct statx buffer;
  if (statx_at(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC, STATX_TYPE, &buffer) != 0) return false;
  const mode_t type = buffer.stx_mode & S_IFMT;
  return type == S_IFIFO || type == S_IFCHR || type == S_IFSOCK;
}

int32_t open_with_facts(OpenJob* job) {
  if (may_wait_on_open(job->path)) return kUnsupported;
  const uint64_t before = monotonic_ns();
  const bool add_direct = job->direct != DirectMode::kAsFlags;
  int flags = job->flags | (add_direct ? O_DIRECT : 0);
  int32_t fd = open_retrying(job->path.c_str(), flags, job->mode);
  if (fd == -EINVAL && job->direct == DirectMode::kTry) {
    // O_CREAT may have made the file before the filesystem refused O_DIRECT: O_EXCL would now see it.
    flags = (job->flags & O_EXCL) != 0 && (job->flags & O_CREAT) != 0 ? job->flags & ~O_EXCL : job->flags;
    fd = open_retrying(job->path.c_str(), flags, job->mode);
  }
  if (fd < 0) return fd;
  job->took_ns = monotonic_ns() - before;
  const int status = read_file_facts(fd, flags, &job->facts, job->remote_device);
  if (status < 0) {
    ::close(fd);
    return status;
  }
  return job->number < 0 ? fd : move_to_number(fd, job->number);
}

}  // namespace ioengine
