#include "jobs/write_file.h"

#include <unistd.h>

#include "base/eintr.h"
#include "jobs/open_file.h"
#include "jobs/result_codes.h"

namespace ioengine {

int32_t WriteFileJob::stop(Step step, int32_t step_error) {
  failed = step;
  error = step_error;
  return kWriteStopped;
}

// At the file position, which is where node writes: O_APPEND or not. 0 or -errno.
int32_t WriteFileJob::write_all() {
  for (size_t done = 0; done < size;) {
    const int32_t count = without_eintr([&] { return ::write(file.get(), data + done, size - done); });
    if (count < 0) return count;
    done += static_cast<size_t>(count);
  }
  return 0;
}

int32_t WriteFileJob::run() {
  OpenJob open;
  open.path = path;
  open.flags = flags;
  open.mode = mode;
  const int32_t fd = open_with_facts(&open);
  if (fd < 0) return fd;
  file = OwnedFd(fd);
  facts = open.facts;
  if (facts.kind != FileKind::kRegular && facts.kind != FileKind::kRemote) return stop(Step::kNone, 0);
  const int32_t written = write_all();
  if (written < 0) return stop(Step::kWrite, written);
  const int32_t synced = sync ? without_eintr([fd] { return fsync(fd); }) : 0;
  if (synced < 0) return stop(Step::kSync, synced);
  const int32_t closed = close_once(file.release());
  if (closed < 0) return stop(Step::kClose, closed);
  return static_cast<int32_t>(size);
}

}  // namespace ioengine
