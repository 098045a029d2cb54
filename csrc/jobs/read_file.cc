#include "jobs/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <new>

#include "base/clock.h"
#include "base/eintr.h"
#include "base/limits.h"
#include "base/statx.h"

namespace ioengine {
namespace {

constexpr unsigned kMask = STATX_TYPE | STATX_SIZE | STATX_INO | STATX_CTIME | kMountMask;

// Of all threads. It has no destructor: static objects with one are destroyed at exit() while threads still
// run.
std::atomic<uint64_t> held_bytes{0};

bool read_all(WholeFile* file) {
  uint32_t done = 0;
  while (done < file->reserved) {
    const int32_t count = without_eintr(
        [&] { return pread(file->fd, file->content.get() + done, file->reserved - done, done); });
    if (count < 0) return false;
    if (count == 0) break;
    done += static_cast<uint32_t>(count);
  }
  file->bytes = done;
  return true;
}

}  // namespace

WholeFile::~WholeFile() {
  drop_content();
  close();
}

bool WholeFile::reserve() {
  const auto size = static_cast<uint32_t>(facts.size);
  if (held_bytes.fetch_add(size, std::memory_order_relaxed) + size <= limits::whole_files_held_bytes) {
    content.reset(new (std::nothrow) char[size]);
    if (content != nullptr) {
      reserved = size;
      return true;
    }
  }
  held_bytes.fetch_sub(size, std::memory_order_relaxed);
  return false;
}

void WholeFile::drop_content() {
  if (content == nullptr) return;
  content.reset();
  held_bytes.fetch_sub(reserved, std::memory_order_relaxed);
}

void WholeFile::close() {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

// A FIFO waits here for its peer, as in node. What is no regular file of a size is the caller's to read, and
// so is a large one: only then everything has to be known of it.
int32_t ReadFileJob::open_it() {
  file->facts = FileFacts();  // it may have been another file's
  const uint64_t before = monotonic_ns();
  const int32_t fd = without_eintr([this] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (fd < 0) return fd;
  file->fd = fd;
  file->open_ns = monotonic_ns() - before;
  struct statx status;
  const bool small = statx_at(fd, "", AT_EMPTY_PATH, kMask, &status) == 0 && S_ISREG(status.stx_mode) &&
                     status.stx_size > 0 && status.stx_size <= limits::whole_file_bytes;
  if (!small || learn) return read_file_facts(fd, &file->facts);
  FileFacts& facts = file->facts;
  const MountId mount = mount_of(status);
  facts.kind = FileKind::kRegular;
  facts.mount = mount.number;
  facts.device = mount.device;
  facts.inode = status.stx_ino;
  facts.changed_ns = is_past(in_ns(status.stx_ctime)) ? in_ns(status.stx_ctime) : 0;
  facts.size = status.stx_size;
  facts.readable = true;
  return 0;
}

int32_t ReadFileJob::run() {
  if (!file->is_open()) {
    const int32_t status = open_it();
    if (status < 0) {
      file->close();
      return status;
    }
  }
  const FileFacts& facts = file->facts;
  const bool small =
      facts.kind == FileKind::kRegular && facts.size > 0 && facts.size <= limits::whole_file_bytes;
  if (!small) return 0;
  // Whatever is wrong shows again when the caller reads the descriptor, and is raised there.
  if (!file->reserve() || !read_all(file.get())) {
    file->drop_content();
    read_file_facts(file->fd, &file->facts);
    return 0;
  }
  file->close();
  return static_cast<int32_t>(file->bytes);
}

}  // namespace ioengine
