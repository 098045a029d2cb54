// Direct requests of one engine that wait for tags of their device (jobs/device_tags.h): one queue for
// each device, so that nothing but requests for the same device stands behind them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "jobs/device_tags.h"
#include "scheduler/descriptor.h"

namespace ioengine {

class DeviceQueue {
 public:
  explicit DeviceQueue(DeviceTags* tags) : tags_(tags) {}
  DeviceTags* tags() const { return tags_; }
  bool waits() const { return !waiting_.empty(); }

  // In order: a small request must not overtake a larger one for ever. False: it stands in the queue now.
  bool admit(Request* request);
  void release(Request* request);
  // A batch that may have had requests for this device was submitted at `now_ns`.
  void submitted(uint64_t now_ns, bool slept) {
    if (slept && held_ > 0) tags_->submission_slept(now_ns);
    if (!slept) tags_->recover(now_ns);
  }
  // The first of those that wait, if there are tags for it now, which it holds; else null.
  Request* next();
  // The first of those that wait, without tags: to be cancelled.
  Request* pop();

 private:
  bool take(Request* request);

  DeviceTags* const tags_;
  uint32_t held_ = 0;  // by this engine; more than 0 while something waits
  RequestQueue waiting_;
};

class DeviceQueues {
 public:
  DeviceQueue* of(DeviceTags* tags);
  template <typename Visit>
  void for_each(Visit visit) {
    for (const auto& queue : queues_) visit(queue.get());
  }

 private:
  std::vector<std::unique_ptr<DeviceQueue>> queues_;  // few: a program's disks
};

}  // namespace ioengine
