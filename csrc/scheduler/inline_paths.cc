#include "scheduler/inline_paths.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "base/statx.h"
#include "jobs/result_codes.h"
#include "jobs/stat_path.h"

namespace ioengine {
namespace {

int open_cached(const char* path, int flags) {
  open_how how = {};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_CACHED;
  const long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
  return fd == -1 ? -errno : static_cast<int>(fd);
}

bool stat_cached(int fd, unsigned mask, struct statx* status) {
  return statx_at(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, status) == 0;
}

// What is wrong with the path itself, whatever the call. Other errors are those of an open (EMFILE), which
// stat(2) does not know, or say that not everything was cached (EAGAIN).
bool is_about_path(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP || error == ENAMETOOLONG;
}

bool has_no_capabilities_of_its_own(uid_t user) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  if (syscall(SYS_capget, &header, sets) != 0) return false;
  for (const auto& set : sets) {
    // access(2) looks with the permitted ones as root, with none as anyone else.
    if (set.effective != (user == 0 ? set.permitted : 0)) return false;
  }
  return true;
}

}  // namespace

// Opens nothing: O_PATH finds what the name stands for, without waking a driver, a peer or a lease, and its
// close calls into no filesystem.
int32_t InlinePaths::look(const char* path, bool follow, unsigned mask, struct statx* status, bool* learn) {
  *learn = false;
  if (!resolve_cached_works_ || fuse_->bars(InlineFuse::kLookups)) return kNeedsPool;
  const uint64_t before = monotonic_ns();
  const int fd = open_cached(path, O_PATH | (follow ? 0 : O_NOFOLLOW));
  if (fd < 0) {
    fuse_->check(InlineFuse::kLookups, before);
    if (fd == -ENOSYS || fd == -EINVAL || fd == -EPERM) resolve_cached_works_ = false;
    return is_about_path(-fd) ? fd : kNeedsPool;
  }
  const bool looked = stat_cached(fd, mask | kMountMask, status);
  ::close(fd);
  looked_ns_ = fuse_->check(InlineFuse::kLookups, before);
  if (!looked) return kNeedsPool;
  const MountId mount = mount_of(*status);
  if (mounts_.find(mount) != nullptr) return 0;
  *learn = mounts_.wants(mount);
  return kNeedsPool;
}

int32_t InlinePaths::stat(const char* path, bool follow, struct statx* status, bool* learn) {
  return look(path, follow, kStatxMask, status, learn);
}

int32_t InlinePaths::exists(const char* path, bool* learn) {
  *learn = false;
  if (!has_plain_credentials()) return kNeedsPool;
  struct statx status;
  return look(path, true, STATX_TYPE, &status, learn);
}

// access(2) goes by the real ids and their capabilities, open(2) by the effective ones. JavaScript may change
// the ids at any time (process.seteuid), so they are compared with what was seen before.
bool InlinePaths::has_plain_credentials() {
  uid_t users[3];
  gid_t groups[3];
  getresuid(&users[0], &users[1], &users[2]);
  getresgid(&groups[0], &groups[1], &groups[2]);
  const bool same =
      std::memcmp(users, users_, sizeof(users)) == 0 && std::memcmp(groups, groups_, sizeof(groups)) == 0;
  if (same && credentials_are_known_) return credentials_are_plain_;
  std::memcpy(users_, users, sizeof(users));
  std::memcpy(groups_, groups, sizeof(groups));
  credentials_are_known_ = true;
  credentials_are_plain_ =
      users[0] == users[1] && groups[0] == groups[1] && has_no_capabilities_of_its_own(users[0]);
  return credentials_are_plain_;
}

bool InlinePaths::is_plain(const OpenJob& job) {
  constexpr int kHarmless = O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
  return job.direct == DirectMode::kAsFlags && (job.flags & ~kHarmless) == O_RDONLY;
}

// A descriptor of the regular file that was seen, O_NONBLOCK, or kNeedsPool.
int InlinePaths::open_regular(const char* path, int flags, const struct statx& seen, FileFacts* facts,
                              struct statx* opened) {
  if (!S_ISREG(seen.stx_mode)) return kNeedsPool;
  const MountId mount = mount_of(seen);
  const FilesystemTraits* filesystem = mounts_.find(mount);
  if (!filesystem->nowait_reads || fuse_->bars(mount.number)) return kNeedsPool;
  // O_NONBLOCK: a lease on the file answers EAGAIN instead of waiting for its holder to give it up.
  // A permission listener of fanotify(7) is waited for all the same: nothing shows one beforehand.
  const int fd = open_cached(path, flags | O_NONBLOCK);
  opened_ns_ = fuse_->check(mount.number, looked_ns_);
  if (fd < 0) return kNeedsPool;
  if (!stat_cached(fd, STATX_BASIC_STATS | kMountMask, opened) || opened->stx_ino != seen.stx_ino ||
      !(mount_of(*opened) == mount)) {
    ::close(fd);
    return kNeedsPool;
  }
  facts->kind = FileKind::kRegular;
  facts->filesystem = *filesystem;
  facts->device = mount.device;
  facts->mount = mount.number;
  facts->inode = opened->stx_ino;
  const int64_t changed_ns = in_ns(opened->stx_ctime);
  facts->changed_ns = is_past(changed_ns) ? changed_ns : 0;
  facts->size = opened->stx_size;
  facts->readable = true;
  return fd;
}

int32_t InlinePaths::open(const OpenJob& job, FileFacts* facts) {
  if (mounts_.empty()) return kNeedsPool;
  const char* path = job.path.c_str();
  struct statx seen, opened;
  bool learn;
  if (look(path, (job.flags & O_NOFOLLOW) == 0, STATX_BASIC_STATS, &seen, &learn) != 0) return kNeedsPool;
  const int fd = open_regular(path, job.flags, seen, facts, &opened);
  if (fd >= 0 && fcntl(fd, F_SETFL, job.flags & ~O_NONBLOCK) == -1) {
    ::close(fd);
    return kNeedsPool;
  }
  return fd;
}

int32_t InlinePaths::open_whole(const char* path, WholeFile* file, bool* learn) {
  file->facts = FileFacts();
  struct statx seen, opened;
  const int32_t looked = look(path, true, STATX_BASIC_STATS, &seen, learn);
  if (looked != 0) return looked;
  const int fd = open_regular(path, O_RDONLY, seen, &file->facts, &opened);
  if (fd < 0) return kNeedsPool;
  file->fd = fd;
  file->has_name = opened.stx_nlink > 0;
  DueUpdate due;
  file->update_due = is_update_due(opened, file->facts.filesystem.access_times, &due);
  return 0;
}

}  // namespace ioengine
