// Which mounts hold a local filesystem that we know. To find out takes fstatfs(2), which may wait 300 ms and
// more on FUSE and network filesystems (H29), so the pool does it, once per mount. Not per device: a device
// that had ext4 on it may be mounted by a FUSE server next (H33).
#pragma once

#include <cstdint>
#include <vector>

#include "jobs/file_facts.h"

namespace ioengine {

class KnownMounts {
 public:
  // How the filesystem that is mounted there behaves; null when it is unknown, or not one that never waits
  // for anyone.
  const FilesystemTraits* find(const MountId& mount) const {
    for (const Entry& entry : entries_) {
      if (entry.mount == mount) return entry.filesystem.known ? &entry.filesystem : nullptr;
    }
    return nullptr;
  }
  // Whether the pool should find out. Not for filesystems without a block device (major 0): their numbers are
  // handed to the next mount after an unmount, and so are those of mounts before Linux 6.8.
  bool wants(const MountId& mount) const;
  void learn(const MountId& mount, const FilesystemTraits& filesystem);
  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    MountId mount;
    FilesystemTraits filesystem;
  };
  bool has(const MountId& mount) const;
  std::vector<Entry> entries_;
  size_t next_ = 0;  // the entry to give up, where there are as many as may be
};

}  // namespace ioengine
