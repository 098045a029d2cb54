// The tags of a block device: every request that it works on holds one, and a submission that finds none left
// sleeps inside io_uring_enter(2) or io_submit(2) until a request has completed, RWF_NOWAIT or not (H32). So
// direct requests are counted here, those of all engines of the process together, and kept below that number.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/limits.h"

namespace ioengine {

// What a device takes, as /sys/dev/block says. 0: it does not say.
struct DeviceQueueLimits {
  uint32_t tags = 0;           // nr_requests: of the I/O scheduler, or of one hardware queue without one
  uint64_t request_bytes = 0;  // max_sectors_kb: a larger request is split, and each part holds a tag
  uint32_t segments = 0;       // max_segments, each a page of scattered memory: the same
};

class DeviceTags {
 public:
  DeviceTags() = default;
  DeviceTags(const DeviceTags&) = delete;
  DeviceTags& operator=(const DeviceTags&) = delete;

  void set_limits(const DeviceQueueLimits& found);
  // So many may be held at once: less than the device has, others use it as well.
  uint32_t bound() const { return bound_.load(std::memory_order_relaxed); }
  // Tags of a request of so many bytes in so many pieces of memory, and never more than may be held.
  uint32_t needed(uint64_t bytes, uint32_t vectors) const;

  // For an engine that holds `held` already. Engines that wait share alike. One that holds none, or few, gets
  // them in any case: it does not see others' completions, and a Worker that computes reaps none for
  // long.
  bool take(uint32_t count, uint32_t held) {
    const uint32_t most = bound();
    const uint32_t hungry = hungry_.load(std::memory_order_relaxed);
    const uint32_t share = hungry > 1 ? most / hungry : most;
    const uint32_t before = held_.fetch_add(count, std::memory_order_relaxed);
    if (held == 0 || held + count <= most / limits::device_tags_floor) return true;
    if (before + count <= most && held + count <= share) return true;
    give_back(count);
    return false;
  }
  void give_back(uint32_t count) { held_.fetch_sub(count, std::memory_order_relaxed); }
  void engine_waits() { hungry_.fetch_add(1, std::memory_order_relaxed); }
  void engine_waits_no_more() { hungry_.fetch_sub(1, std::memory_order_relaxed); }
  uint32_t held() const { return held_.load(std::memory_order_relaxed); }

  // A submission to the device slept all the same: others hold more than was left to them, or the filesystem
  // has made more requests of it than we see. The bound is halved, and doubled again each time after.
  void submission_slept(uint64_t now_ns);
  void recover(uint64_t now_ns) {
    const uint64_t raise_ns = raise_ns_.load(std::memory_order_relaxed);
    if (raise_ns != 0 && now_ns >= raise_ns) raise(now_ns);
  }

 private:
  void raise(uint64_t now_ns);

  std::atomic<uint32_t> bound_{0};
  std::atomic<uint32_t> bound_max_{0};
  std::atomic<uint64_t> raise_ns_{0};  // not 0: the bound is lower than it could be until then
  std::atomic<uint64_t> request_bytes_{0};
  std::atomic<uint32_t> segments_{0};
  std::atomic<uint32_t> held_{0};
  std::atomic<uint32_t> hungry_{0};  // engines with a request that waits for tags
};

// The limits of the block device, or the lowest of the devices that it is made of (dm, md). `folder` is its
// folder in sysfs, or that of one of its partitions.
DeviceQueueLimits device_queue_limits(const std::string& folder);

// The tags of the device with this number, which an open file's data are on; what it takes is looked up anew
// where that was a second or longer ago. Lives as long as the process. `fd`: for filesystems that spread over
// several devices and have a number of their own. May wait: never on the JavaScript thread.
DeviceTags* tags_of_device(uint64_t device, int fd);

}  // namespace ioengine
