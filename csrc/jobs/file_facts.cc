#include "jobs/file_facts.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/statx.h"
#include "jobs/device_tags.h"

namespace ioengine {
namespace {

// statx(2) fields of Linux 6.1 that Debian 12's glibc does not name (include/uapi/linux/stat.h).
constexpr unsigned kStatxDioAlign = 0x00002000u;
constexpr size_t kDioMemAlignOffset = 0x98;
constexpr uint32_t kFallbackAlignment =
    4096;  // no device needs more, so it is safe where the kernel does not tell

constexpr uint64_t kExt = 0xef53;
constexpr uint64_t kXfs = 0x58465342;
constexpr uint64_t kBtrfs = 0x9123683e;
constexpr uint64_t kF2fs = 0xf2f52010;
constexpr uint64_t kTmpfs = 0x01021994;
constexpr uint64_t kOverlay = 0x794c7630;

constexpr size_t kMountNumberOffset = 0x90;  // stx_mnt_id, Linux 5.8
constexpr unsigned kMountMasks = 0x00001000u | kMountMask;

// EXT4_IOC_PRECACHE_EXTENTS (fs/ext4/ext4.h): kernel ABI without a header.
constexpr unsigned long kExt4PrecacheExtents = _IO('f', 18);

// Filesystems whose files are interfaces of the kernel, by the magic numbers of statfs(2): reading one may
// wait for an event, and a size says nothing.
bool is_of_kernel(uint64_t magic) {
  constexpr uint64_t kMagics[] = {
      0x9fa0 /* proc */,
      0x62656572 /* sysfs */,
      0x27e0eb /* cgroup */,
      0x63677270 /* cgroup2 */,
      0x64626720 /* debugfs */,
      0x74726163 /* tracefs */,
      0x73636673 /* securityfs */,
      0xf97cff8c /* selinux */,
      0xcafe4a11 /* bpf */,
      0x62656570 /* configfs */,
      0xde5e81e4 /* efivarfs */,
      0x6165676c /* pstore */,
      0x42494e4d /* binfmt_misc */,
      0x1cd1 /* devpts */,
      0x19800202 /* mqueue */,
      0x958458f6 /* hugetlbfs */,
      0x6e736673 /* nsfs */,
      0x09041934 /* anon_inode */,
      0x65735543 /* fusectl */,
      0x67596969 /* rpc_pipefs */,
      0x50495045 /* pipefs */,
      0x534f434b /* sockfs */,
      0x7655821 /* resctrl */,
  };
  for (const uint64_t other : kMagics) {
    if (magic == other) return true;
  }
  return false;
}

uint32_t field32(const struct statx& buffer, size_t offset) {
  uint32_t value;
  std::memcpy(&value, reinterpret_cast<const char*>(&buffer) + offset, sizeof(value));
  return value;
}

uint64_t field64(const struct statx& buffer, size_t offset) {
  uint64_t value;
  std::memcpy(&value, reinterpret_cast<const char*>(&buffer) + offset, sizeof(value));
  return value;
}

void read_direct_alignment(int fd, FileFacts* facts) {
  struct statx buffer;
  facts->memory_alignment = facts->offset_alignment = kFallbackAlignment;
  if (statx_at(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, kStatxDioAlign, &buffer) != 0) return;
  if ((buffer.stx_mask & kStatxDioAlign) == 0) return;
  const uint32_t memory = field32(buffer, kDioMemAlignOffset);
  const uint32_t offset = field32(buffer, kDioMemAlignOffset + sizeof(uint32_t));
  if (memory == 0 || offset == 0) return;  // the file takes no direct I/O; open(2) decides
  facts->memory_alignment = memory;
  facts->offset_alignment = offset;
}

}  // namespace

uint64_t device_of(const struct statx& status) { return makedev(status.stx_dev_major, status.stx_dev_minor); }

MountId mount_of(const struct statx& status) {
  const bool has_mount = (status.stx_mask & kMountMasks) != 0;
  return {has_mount ? field64(status, kMountNumberOffset) : 0, device_of(status)};
}

FilesystemTraits filesystem_traits(uint64_t magic, uint64_t flags) {
  FilesystemTraits traits;
  traits.known = true;
  traits.access_times = access_times_of(flags);
  switch (magic) {
    case kExt:
    case kF2fs:
      traits.nowait_reads = true;
      break;
    case kXfs:
      traits.nowait_reads = traits.uring_writes = true;
      break;
    case kBtrfs:
      traits.nowait_reads = true;
      break;
    case kTmpfs:
      traits.memory_backed = true;
      traits.kind = FilesystemKind::kMemory;
      break;
    case kOverlay:
      traits.kind = FilesystemKind::kStacked;
      break;
    default:
      traits.known = false;
  }
  return traits;
}

// Docker's seccomp profiles of 2019 and before answer EPERM to what they do not know; glibc itself has an
// answer to ENOSYS.
int stat_open_file(int fd, unsigned mask, struct statx* status) {
  if (statx_at(fd, "", AT_EMPTY_PATH, mask, status) == 0) return 0;
  if (errno != ENOSYS && errno != EPERM) return -errno;
  struct stat plain;
  if (fstat(fd, &plain) != 0) return -errno;
  *status = {};
  status->stx_mask = STATX_BASIC_STATS;
  status->stx_mode = static_cast<uint16_t>(plain.st_mode);
  status->stx_ino = plain.st_ino;
  status->stx_size = static_cast<uint64_t>(plain.st_size);
  status->stx_nlink = static_cast<uint32_t>(plain.st_nlink);
  status->stx_ctime.tv_sec = plain.st_ctim.tv_sec;
  status->stx_ctime.tv_nsec = static_cast<uint32_t>(plain.st_ctim.tv_nsec);
  status->stx_dev_major = major(plain.st_dev);
  status->stx_dev_minor = minor(plain.st_dev);
  status->stx_rdev_major = major(plain.st_rdev);
  status->stx_rdev_minor = minor(plain.st_rdev);
  return 0;
}

int read_file_facts(int fd, FileFacts* facts) {
  const int flags = fcntl(fd, F_GETFL);
  return flags == -1 ? -errno : read_file_facts(fd, flags, facts);
}

int read_file_facts(int fd, int flags, FileFacts* facts, uint64_t remote_device) {
  struct statx status;
  const int found = stat_open_file(fd, STATX_BASIC_STATS | kMountMask, &status);
  if (found < 0) return found;
  const MountId mount = mount_of(status);
  facts->mount = mount.number;
  facts->device = mount.device;
  facts->changed_ns = is_past(in_ns(status.stx_ctime)) ? in_ns(status.stx_ctime) : 0;
  facts->inode = status.stx_ino;
  facts->size = status.stx_size;
  facts->append = (flags & O_APPEND) != 0;
  facts->direct = (flags & O_DIRECT) != 0;
  const int access = flags & O_ACCMODE;
  facts->readable = (access == O_RDONLY || access == O_RDWR) && (flags & O_PATH) == 0;
  facts->writable = (access == O_WRONLY || access == O_RDWR) && (flags & O_PATH) == 0;
  facts->kind = FileKind::kForeign;
  if ((flags & O_PATH) != 0) return 0;
  if (S_ISBLK(status.stx_mode)) {
    facts->kind = FileKind::kBlock;
    facts->filesystem.known = facts->filesystem.nowait_reads = true;
  } else if (S_ISREG(status.stx_mode) && remote_device != 0 && mount.device == remote_device) {
    facts->kind = FileKind::kRemote;
  } else if (S_ISREG(status.stx_mode)) {
    struct statfs filesystem;
    if (fstatfs(fd, &filesystem) != 0) return 0;
    facts->filesystem = filesystem_traits(static_cast<uint64_t>(filesystem.f_type) & 0xffffffffu,
                                          static_cast<uint64_t>(filesystem.f_flags));
    if ((flags & O_NOATIME) != 0) facts->filesystem.access_times = AccessTimes::kNever;
    if (facts->filesystem.known) {
      facts->kind = FileKind::kRegular;
    } else if (!is_of_kernel(static_cast<uint64_t>(filesystem.f_type) & 0xffffffffu)) {
      facts->kind = FileKind::kRemote;
    }
  }
  if (facts->direct && (facts->kind == FileKind::kRegular || facts->kind == FileKind::kBlock)) {
    read_direct_alignment(fd, facts);
    const uint64_t itself = makedev(status.stx_rdev_major, status.stx_rdev_minor);
    if (!facts->filesystem.memory_backed)
      facts->tags = tags_of_device(facts->kind == FileKind::kBlock ? itself : mount.device, fd);
    // Mapping blocks of a fragmented file that is met for the first time reads its extent tree inside the
    // submitting call. Here waiting is allowed, and later requests find the map in memory. ENOTTY elsewhere
    // than on ext4.
    if (facts->kind == FileKind::kRegular) ioctl(fd, kExt4PrecacheExtents);
  }
  return 0;
}

}  // namespace ioengine
