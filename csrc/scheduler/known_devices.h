// Which devices hold a local filesystem that we know. Asking is fstatfs(2), which may wait 300 ms and more on
// FUSE and network filesystems (H29), so the pool asks, once per device.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/file_facts.h"

namespace ioengine {

class KnownDevices {
 public:
  // How the filesystem on the device behaves; null when it is unknown, or not one that never waits for
  // anyone.
  const FilesystemTraits* find(uint64_t device) const {
    for (const Entry& entry : entries_) {
      if (entry.device == device) return entry.filesystem.known ? &entry.filesystem : nullptr;
    }
    return nullptr;
  }
  // Whether the pool should find out. Not for numbers without a block device (major 0): they are handed to
  // the next mount after an unmount, which may be FUSE.
  bool wants(uint64_t device) const;
  void learn(uint64_t device, const FilesystemTraits& filesystem);
  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    uint64_t device;
    FilesystemTraits filesystem;
  };
  bool has(uint64_t device) const;
  std::vector<Entry> entries_;
};

}  // namespace ioengine
