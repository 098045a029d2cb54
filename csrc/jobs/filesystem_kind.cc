#include "jobs/filesystem_kind.h"

#include <algorithm>
#include <iterator>

namespace ioengine {
namespace {

// src/engine/filesystem-kinds.ts has the same. What is remote is not named: every other type.
constexpr std::string_view kLocal[] = {
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "squashfs", "erofs", "vfat", "exfat", "iso9660",
};
constexpr std::string_view kMemory[] = {"tmpfs", "devtmpfs", "ramfs"};
constexpr std::string_view kStacked[] = {"overlay"};
constexpr std::string_view kSpecial[] = {
    "proc",       "sysfs",      "cgroup",   "cgroup2", "devpts", "mqueue",   "debugfs",   "tracefs",
    "securityfs", "selinuxfs",  "configfs", "bpf",     "pstore", "efivarfs", "hugetlbfs", "binfmt_misc",
    "fusectl",    "rpc_pipefs", "nsfs",     "resctrl", "bdev",   "pipefs",   "sockfs",
};

template <size_t N>
bool has(const std::string_view (&types)[N], std::string_view type) {
  return std::find(std::begin(types), std::end(types), type) != std::end(types);
}

}  // namespace

FilesystemKind kind_of_type(std::string_view type) {
  if (has(kLocal, type)) return FilesystemKind::kLocal;
  if (has(kMemory, type)) return FilesystemKind::kMemory;
  if (has(kStacked, type)) return FilesystemKind::kStacked;
  return has(kSpecial, type) ? FilesystemKind::kSpecial : FilesystemKind::kRemote;
}

}  // namespace ioengine
