// What the engine knows of an open file: found out off the JavaScript thread, because fstat(2) and fstatfs(2)
// may wait 300 ms and more on a network or FUSE filesystem (H29).
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>

#include "jobs/access_time.h"
#include "jobs/filesystem_kind.h"

namespace ioengine {

class DeviceTags;

enum class FileKind : uint8_t {
  kRegular,  // on a disk filesystem we know, or tmpfs or overlayfs
  kBlock,    // block device
  kRemote,  // a regular file on any other filesystem, which may wait for a server (NFS, FUSE, ...): pool jobs
            // only
  kForeign,  // pipe, tty, socket, directory, procfs, ...: node:fs serves it (H26)
};

// A mount as statx(2) names it: by a number that is never used again (Linux 6.8), else by one that the
// next mount may get, so the device has to be the same as well.
struct MountId {
  uint64_t number = 0;
  uint64_t device = 0;
  bool operator==(const MountId& other) const { return number == other.number && device == other.device; }
};

// What mount_of() needs of statx(2).
constexpr unsigned kMountMask = 0x00004000u;  // STATX_MNT_ID_UNIQUE: newer than Debian 12's headers

uint64_t device_of(const struct statx& status);
MountId mount_of(const struct statx& status);

// How one filesystem behaves where it is mounted, by its magic number. Unknown ones are foreign.
struct FilesystemTraits {
  bool known = false;
  bool nowait_reads = false;   // RWF_NOWAIT is honoured by buffered reads (H17)
  bool memory_backed = false;  // a page that cachestat(2) reports is there without a device: tmpfs
  bool uring_writes =
      false;  // buffered writes run well on io-wq: not on ext4 and tmpfs, which threads serve faster
  AccessTimes access_times = AccessTimes::kRelative;
  FilesystemKind kind = FilesystemKind::kLocal;  // of a known one
};

// By f_type and f_flags of statfs(2).
FilesystemTraits filesystem_traits(uint64_t magic, uint64_t flags);

struct FileFacts {
  FileKind kind = FileKind::kForeign;
  FilesystemTraits filesystem;
  uint64_t device = 0;
  uint64_t mount = 0;  // MountId::number
  uint64_t inode = 0;
  int64_t changed_ns = 0;  // ctime, where any later change has another one; else 0
  uint64_t size = 0;
  uint32_t memory_alignment = 1;  // of O_DIRECT requests, from STATX_DIOALIGN, else the device's block
  uint32_t offset_alignment = 1;
  DeviceTags* tags = nullptr;  // of the device below a direct file; null: nothing to run out of
  bool append = false;
  bool direct = false;
  bool readable = false;
  bool writable = false;

  FilesystemKind filesystem_kind() const {
    return kind == FileKind::kRemote ? FilesystemKind::kRemote : filesystem.kind;
  }
};

// statx(2) of an open descriptor, or as much as fstat(2) says where a sandbox refuses that. 0 or -errno.
int stat_open_file(int fd, unsigned mask, struct statx* status);

// Reads the facts of an open descriptor. Returns 0 or -errno (EBADF). May wait: never on the JavaScript
// thread.
int read_file_facts(int fd, FileFacts* facts);
// The same of one whose flags are known. `remote_device`: what is there is known to be remote, and is not
// asked: fstatfs(2) is a round trip.
int read_file_facts(int fd, int flags, FileFacts* facts, uint64_t remote_device = 0);

}  // namespace ioengine
