#include "jobs/write_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/eintr.h"
#include "jobs/open_file.h"
#include "jobs/result_codes.h"

namespace ioengine {
namespace {

// The mount where a regular file of kind kRegular was opened last: its number is never used again.
std::atomic<uint64_t> last_regular_mount{0};

}  // namespace

int32_t WriteFileJob::stop(Step step, int32_t step_error) {
  failed = step;
  error = step_error;
  // Whoever goes on with the descriptor has to know all.
  if (file.is_open()) read_file_facts(file.get(), flags, &facts);
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

// O_NONBLOCK: what would wait for another process (a FIFO, a device, a lease on the file) says so, and is
// node's to wait for. On a regular file the flag means nothing, but a FUSE server sees it.
int32_t WriteFileJob::open_it() {
  if (remote && may_wait_on_open(path)) return kUnsupported;
  const int added = O_CLOEXEC | (remote ? 0 : O_NONBLOCK);
  const int32_t fd = without_eintr([&] { return ::open(path.c_str(), flags | added, mode); });
  if (!remote && (fd == -EAGAIN || fd == -ENXIO || fd == -EBUSY)) return kUnsupported;
  if (fd < 0) return fd;
  file = OwnedFd(fd);
  const int32_t found = find_kind();
  if (found < 0 || remote || facts.kind == FileKind::kRegular) return found;
  return without_eintr([&] { return fcntl(fd, F_SETFL, flags); });
}

// All that matters of a regular file is its filesystem, and that is known mostly.
int32_t WriteFileJob::find_kind() {
  struct statx status;
  const int32_t found = stat_open_file(file.get(), STATX_TYPE | kMountMask, &status);
  if (found < 0) return found;
  const bool has_unique_number = (status.stx_mask & kMountMask) != 0;
  const uint64_t mount = has_unique_number ? mount_of(status).number : 0;
  if (S_ISREG(status.stx_mode) && mount != 0 && mount == last_regular_mount.load(std::memory_order_relaxed)) {
    facts.kind = FileKind::kRegular;
    return 0;
  }
  const int32_t read = read_file_facts(file.get(), flags, &facts);
  if (read == 0 && facts.kind == FileKind::kRegular && mount != 0)
    last_regular_mount.store(mount, std::memory_order_relaxed);
  return read;
}

int32_t WriteFileJob::run() {
  const int32_t opened = open_it();
  if (opened < 0) {
    file.close();
    return opened;
  }
  const int fd = file.get();
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
