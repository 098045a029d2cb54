#include "backend/whole_write.h"

#include <unistd.h>

#include <cerrno>

namespace ioengine {
namespace {

int32_t stopped(WholeWrite* write, WholeWrite::Step step, int error) {
  write->failed = step;
  write->error = -error;
  return kStopped;
}

// At the file position, which is where node writes: O_APPEND or not.
bool write_all(const WholeWrite& write, int fd) {
  size_t done = 0;
  while (done < write.size) {
    const ssize_t count = ::write(fd, write.data + done, write.size - done);
    if (count >= 0) {
      done += static_cast<size_t>(count);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

bool sync_file(int fd) {
  while (fsync(fd) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

// close(2) releases the descriptor whatever it answers; a retry after EINTR would close a stranger's.
bool close_file(WholeFile* file) {
  const int fd = file->fd;
  file->fd = -1;
  return ::close(fd) == 0 || errno == EINTR || errno == EINPROGRESS;
}

}  // namespace

int32_t write_whole_file(const std::string& path, WholeWrite* write, WholeFile* file) {
  OpenJob open;
  open.path = path;
  open.flags = write->flags;
  open.mode = write->mode;
  const int32_t fd = open_with_facts(&open);
  if (fd < 0) return fd;
  file->fd = fd;
  file->facts = open.facts;
  if (open.facts.kind != FileKind::kRegular) return stopped(write, WholeWrite::Step::kNone, 0);
  if (!write_all(*write, fd)) return stopped(write, WholeWrite::Step::kWrite, errno);
  if (write->sync && !sync_file(fd)) return stopped(write, WholeWrite::Step::kSync, errno);
  if (!close_file(file)) return stopped(write, WholeWrite::Step::kClose, errno);
  return static_cast<int32_t>(write->size);
}

}  // namespace ioengine
