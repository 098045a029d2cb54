#include "scheduler/known_mounts.h"

#include <sys/sysmacros.h>

#include "base/limits.h"

namespace ioengine {

bool KnownMounts::has(const MountId& mount) const {
  for (const Entry& entry : entries_) {
    if (entry.mount == mount) return true;
  }
  return false;
}

bool KnownMounts::wants(const MountId& mount) const { return major(mount.device) != 0 && !has(mount); }

// Mounts come and go: the oldest knowledge gives way.
void KnownMounts::learn(const MountId& mount, const FilesystemTraits& filesystem) {
  if (!wants(mount)) return;
  if (entries_.size() < limits::known_mounts) {
    entries_.push_back({mount, filesystem});
    return;
  }
  entries_[next_] = {mount, filesystem};
  next_ = (next_ + 1) % limits::known_mounts;
}

}  // namespace ioengine
