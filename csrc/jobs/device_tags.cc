#include "jobs/device_tags.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <unordered_map>

#include "base/clock.h"
#include "base/limits.h"

namespace ioengine {
namespace {

// Devices may be stacked, an encrypted one on a RAID; a circle is not possible.
constexpr int kStackDepth = 8;
constexpr uint64_t kPageBytes = 4096;

uint64_t read_number(const std::string& file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[32] = {};
  const ssize_t length = read(fd, text, sizeof(text) - 1);
  close(fd);
  return length > 0 ? std::strtoull(text, nullptr, 10) : 0;
}

// What is not known, 0, bounds nothing.
template <typename Number>
Number lower(Number a, Number b) {
  return a == 0 || (b != 0 && b < a) ? b : a;
}

DeviceQueueLimits lowest(const DeviceQueueLimits& a, const DeviceQueueLimits& b) {
  return {lower(a.tags, b.tags), lower(a.request_bytes, b.request_bytes), lower(a.segments, b.segments)};
}

DeviceQueueLimits limits_below(const std::string& folder, int depth);

// The lowest of all devices that have a link in `folder`.
DeviceQueueLimits lowest_in(const std::string& folder, int depth) {
  DeviceQueueLimits found;
  DIR* directory = opendir(folder.c_str());
  if (directory == nullptr) return found;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    found = lowest(found, limits_below(folder + "/" + entry->d_name, depth));
  }
  closedir(directory);
  return found;
}

DeviceQueueLimits limits_below(const std::string& folder, int depth) {
  // A partition has no queue, its disk has: the folder above.
  const bool is_disk = access((folder + "/queue").c_str(), F_OK) == 0;
  const std::string queue = folder + (is_disk ? "/queue/" : "/../queue/");
  DeviceQueueLimits found;
  found.tags = static_cast<uint32_t>(read_number(queue + "nr_requests"));
  found.request_bytes = read_number(queue + "max_sectors_kb") * 1024;
  found.segments = static_cast<uint32_t>(read_number(queue + "max_segments"));
  if (depth == 0) return found;
  // The number that such a device itself has, if any, counts for nothing where it only passes requests on.
  const DeviceQueueLimits below = lowest_in(folder + "/slaves", depth - 1);
  return below.tags == 0 ? found : lowest(found, below);
}

// btrfs: a device number of its own for every subvolume, and its disks in a folder of sysfs.
DeviceQueueLimits limits_of_btrfs(int fd) {
  btrfs_ioctl_fs_info_args info = {};
  if (ioctl(fd, BTRFS_IOC_FS_INFO, &info) != 0) return {};
  std::string name;
  for (size_t i = 0; i < sizeof(info.fsid); ++i) {
    char digits[4];
    std::snprintf(digits, sizeof(digits), "%02x", info.fsid[i]);
    const bool dash = i == 4 || i == 6 || i == 8 || i == 10;
    name += (dash ? "-" : "") + std::string(digits);
  }
  return lowest_in("/sys/fs/btrfs/" + name + "/devices", kStackDepth);
}

struct Known {
  DeviceTags tags;
  uint64_t looked_ns = 0;
};

// Never destroyed: requests may still be in flight while the process ends.
struct Registry {
  std::mutex mutex;
  std::unordered_map<uint64_t, Known> devices;  // its entries stay where they are
};

Registry& registry() {
  static auto* the_one = new Registry();
  return *the_one;
}

}  // namespace

DeviceQueueLimits device_queue_limits(const std::string& folder) { return limits_below(folder, kStackDepth); }

void DeviceTags::set_limits(const DeviceQueueLimits& found) {
  const uint32_t tags = found.tags != 0 ? found.tags : limits::device_tags_unknown;
  const uint32_t bound = std::max(tags - tags / limits::device_tags_left, 1u);
  bound_max_.store(bound, std::memory_order_relaxed);
  if (raise_ns_.load(std::memory_order_relaxed) == 0) bound_.store(bound, std::memory_order_relaxed);
  request_bytes_.store(found.request_bytes, std::memory_order_relaxed);
  segments_.store(found.segments, std::memory_order_relaxed);
}

uint32_t DeviceTags::needed(uint64_t bytes, uint32_t vectors) const {
  const uint64_t request_bytes = request_bytes_.load(std::memory_order_relaxed);
  const uint64_t segments = segments_.load(std::memory_order_relaxed);
  uint64_t parts = 1;
  if (request_bytes != 0) parts = std::max(parts, (bytes + request_bytes - 1) / request_bytes);
  // Each piece may begin and end inside a page.
  const uint64_t pages = bytes / kPageBytes + vectors;
  if (segments != 0) parts = std::max(parts, (pages + segments - 1) / segments);
  return static_cast<uint32_t>(std::min<uint64_t>(parts, bound()));
}

void DeviceTags::submission_slept(uint64_t now_ns) {
  const uint32_t lowest =
      std::max(bound_max_.load(std::memory_order_relaxed) / limits::device_tags_floor, 1u);
  bound_.store(std::max(std::min(bound(), held()) / 2, lowest), std::memory_order_relaxed);
  raise_ns_.store(now_ns + limits::device_tags_raise_ns, std::memory_order_relaxed);
}

void DeviceTags::raise(uint64_t now_ns) {
  const uint32_t most = bound_max_.load(std::memory_order_relaxed);
  const uint32_t raised = std::min(bound() * 2, most);
  bound_.store(raised, std::memory_order_relaxed);
  raise_ns_.store(raised == most ? 0 : now_ns + limits::device_tags_raise_ns, std::memory_order_relaxed);
}

DeviceTags* tags_of_device(uint64_t device, int fd) {
  Registry& all = registry();
  const uint64_t now = monotonic_ns();
  std::lock_guard<std::mutex> lock(all.mutex);
  Known& known = all.devices[device];
  if (known.looked_ns != 0 && now - known.looked_ns < limits::device_look_ns) return &known.tags;
  known.looked_ns = now;
  const std::string folder =
      "/sys/dev/block/" + std::to_string(major(device)) + ":" + std::to_string(minor(device));
  DeviceQueueLimits found = device_queue_limits(folder);
  if (found.tags == 0) found = limits_of_btrfs(fd);
  known.tags.set_limits(found);
  return &known.tags;
}

}  // namespace ioengine
