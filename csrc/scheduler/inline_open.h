// Opening on the calling thread: only read-only opens of regular files whose whole path is in the kernel's
// caches, on block devices with a filesystem that was met before. Everything else waits for something
// sometimes: FIFOs and leases for other processes, FUSE and network filesystems for their servers (300 to 400
// ms, H29).
#pragma once

#include <cstdint>
#include <vector>

#include "backend/file_facts.h"

namespace ioengine {

class InlineOpener {
 public:
  // A descriptor with `facts`, or kNotTaken: the pool has to open it, or to say what is wrong. An error in
  // the same turn would come before the caller awaits it, and its stack could not name who does.
  int32_t open(const OpenJob& job, FileFacts* facts);

  // What an open in the pool found out about a device.
  void learn(const FileFacts& facts);

  static bool is_plain(const OpenJob& job);

 private:
  struct KnownDevice {
    uint64_t device;
    FilesystemTraits filesystem;
  };
  const FilesystemTraits* find(uint64_t device) const;

  bool resolve_cached_works_ = true;
  std::vector<KnownDevice> devices_;
};

}  // namespace ioengine
