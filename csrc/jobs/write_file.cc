#include "jobs/write_file.h"

#include <unistd.h>

#include <utility>

#include "base/eintr.h"
#include "jobs/result_codes.h"

namespace ioengine {
namespace {

int32_t stopped(WholeWrite* write, WholeWrite::Step step, int32_t error) {
  write->failed = step;
  write->error = error;
  return kWriteStopped;
}

// At the file position, which is where node writes: O_APPEND or not. 0 or -errno.
int32_t write_all(const WholeWrite& write, int fd) {
  for (size_t done = 0; done < write.size;) {
    const int32_t count = without_eintr([&] { return ::write(fd, write.data + done, write.size - done); });
    if (count < 0) return count;
    done += static_cast<size_t>(count);
  }
  return 0;
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
  using Step = WholeWrite::Step;
  if (const int32_t error = write_all(*write, fd); error < 0) return stopped(write, Step::kWrite, error);
  const int32_t synced = write->sync ? without_eintr([fd] { return fsync(fd); }) : 0;
  if (synced < 0) return stopped(write, Step::kSync, synced);
  const int32_t closed = close_once(std::exchange(file->fd, -1));
  if (closed < 0) return stopped(write, Step::kClose, closed);
  return static_cast<int32_t>(write->size);
}

}  // namespace ioengine
