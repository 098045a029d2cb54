#include "scheduler/known_devices.h"

#include <sys/sysmacros.h>

#include "base/limits.h"

namespace ioengine {

bool KnownDevices::has(uint64_t device) const {
  for (const Entry& entry : entries_) {
    if (entry.device == device) return true;
  }
  return false;
}

bool KnownDevices::wants(uint64_t device) const {
  return major(device) != 0 && entries_.size() < limits::known_devices && !has(device);
}

void KnownDevices::learn(uint64_t device, const FilesystemTraits& filesystem) {
  if (wants(device)) entries_.push_back({device, filesystem});
}

}  // namespace ioengine
