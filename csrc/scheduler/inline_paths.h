// Paths on the calling thread: only where every part of the path is in the kernel's caches, on block devices
// with a filesystem that was met before. Everything else waits for something sometimes: FIFOs and leases for
// other processes, FUSE and network filesystems for their servers (300 to 400 ms, H29).
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>

#include "jobs/file_facts.h"
#include "jobs/open_file.h"
#include "jobs/read_file.h"
#include "scheduler/inline_fuse.h"
#include "scheduler/known_mounts.h"

namespace ioengine {

class InlinePaths {
 public:
  explicit InlinePaths(InlineFuse* fuse) : fuse_(fuse) {}

  // A descriptor with `facts`, or kNeedsPool: the pool has to open it, or to say what is wrong. Regular
  // files, read-only. An error in the same turn would come before the caller awaits it, and its stack could
  // not name who does.
  int32_t open(const OpenJob& job, FileFacts* facts);
  // 0 with `status`, -errno, or kNeedsPool. `learn`: and to find out what the mount is.
  int32_t stat(const char* path, bool follow, struct statx* status, bool* learn);
  // Whether there is something at the path (F_OK): 0, -errno, or kNeedsPool.
  int32_t exists(const char* path, bool* learn);
  // Opens a regular file to be read in one go: 0 with `file` open, -errno, or kNeedsPool.
  int32_t open_whole(const char* path, WholeFile* file, bool* learn);

  // When open_whole() was through with its file.
  uint64_t opened_ns() const { return opened_ns_; }

  static bool is_plain(const OpenJob& job);

  // What the pool found out about a mount.
  void learn(const FileFacts& facts) {
    if (facts.kind == FileKind::kRegular && facts.filesystem.known)
      mounts_.learn({facts.mount, facts.device}, facts.filesystem);
  }
  void learn(const MountId& mount, const FilesystemTraits& filesystem) { mounts_.learn(mount, filesystem); }

 private:
  int32_t look(const char* path, bool follow, unsigned mask, struct statx* status, bool* learn);
  int open_regular(const char* path, int flags, const struct statx& seen, FileFacts* facts,
                   struct statx* opened);
  bool has_plain_credentials();

  bool resolve_cached_works_ = true;
  KnownMounts mounts_;
  InlineFuse* const fuse_;
  uint64_t looked_ns_ = 0;  // when the last look-up was over
  uint64_t opened_ns_ = 0;

  // Whether access(2) and open(2) look for a path with the same rights; for these user and group ids.
  bool credentials_are_plain_ = false;
  bool credentials_are_known_ = false;
  uid_t users_[3] = {};
  gid_t groups_[3] = {};
};

}  // namespace ioengine
