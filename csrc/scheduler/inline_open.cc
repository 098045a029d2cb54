#include "scheduler/inline_open.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

namespace ioengine {
namespace {

constexpr size_t kDevicesMax = 64;

int open_cached(const char* path, int flags) {
  open_how how = {};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_CACHED;
  const long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
  return fd == -1 ? -errno : static_cast<int>(fd);
}

bool stat_cached(int fd, struct statx* status) {
  return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, status) == 0;
}

uint64_t device_of(const struct statx& status) { return makedev(status.stx_dev_major, status.stx_dev_minor); }

}  // namespace

bool InlineOpener::is_plain(const OpenJob& job) {
  constexpr int kHarmless = O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
  return job.direct == DirectMode::kAsFlags && (job.flags & ~kHarmless) == O_RDONLY;
}

const FilesystemTraits* InlineOpener::find(uint64_t device) const {
  for (const KnownDevice& known : devices_) {
    if (known.device == device) return &known.filesystem;
  }
  return nullptr;
}

// Numbers without a block device (major 0) are handed to the next mount after an unmount, which may be FUSE.
void InlineOpener::learn(const FileFacts& facts) {
  if (facts.kind != FileKind::kRegular || !facts.filesystem.nowait_reads || major(facts.device) == 0) return;
  if (find(facts.device) != nullptr || devices_.size() >= kDevicesMax) return;
  devices_.push_back({facts.device, facts.filesystem});
}

int32_t InlineOpener::open(const OpenJob& job, FileFacts* facts) {
  if (!resolve_cached_works_ || devices_.empty()) return kNotTaken;
  // O_PATH opens nothing: it tells what the name stands for, without waking a driver, a peer or a lease.
  const int look = open_cached(job.path.c_str(), O_PATH | (job.flags & O_NOFOLLOW));
  if (look < 0) {
    if (look == -ENOSYS || look == -EINVAL || look == -EPERM) resolve_cached_works_ = false;
    return kNotTaken;
  }
  struct statx seen, opened;
  const bool looked = stat_cached(look, &seen);
  ::close(look);
  if (!looked || !S_ISREG(seen.stx_mode)) return kNotTaken;
  const FilesystemTraits* filesystem = find(device_of(seen));
  if (filesystem == nullptr) return kNotTaken;

  // O_NONBLOCK: a lease on the file answers EAGAIN instead of waiting for its holder to give it up.
  const int fd = open_cached(job.path.c_str(), job.flags | O_NONBLOCK);
  if (fd < 0) return kNotTaken;
  const bool same =
      stat_cached(fd, &opened) && opened.stx_ino == seen.stx_ino && device_of(opened) == device_of(seen);
  if (!same || fcntl(fd, F_SETFL, job.flags & ~O_NONBLOCK) == -1) {
    ::close(fd);
    return kNotTaken;
  }
  facts->kind = FileKind::kRegular;
  facts->filesystem = *filesystem;
  facts->device = device_of(opened);
  facts->inode = opened.stx_ino;
  facts->size = opened.stx_size;
  facts->readable = true;
  return fd;
}

}  // namespace ioengine
