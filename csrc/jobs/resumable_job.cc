#include "jobs/resumable_job.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>

#include "jobs/result_codes.h"

namespace ioengine {
namespace {

// Of all threads. It has no destructor: static objects with one are destroyed at exit() while threads still
// run.
std::atomic<size_t> held{0};

// The program may change its limit at any time; a slice is long, so it can be looked up at the end of each.
size_t held_max() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return std::min<size_t>(limits::held_descriptors, limit.rlim_cur / 4);
}

}  // namespace

int32_t ResumableJob::run() {
  const TimeSlice slice;
  if (work_ == nullptr) {
    const int32_t result = begin(&work_);
    if (result != kUnfinished) return result;
  } else if (is_ending() && !work_->is_in_file()) {
    return kUnfinished;
  }
  const int32_t result = work_->run(slice);
  if (result != kUnfinished) work_.reset();
  return result;
}

bool HeldDescriptors::take(size_t count) {
  if (held.fetch_add(count, std::memory_order_relaxed) + count > held_max()) {
    held.fetch_sub(count, std::memory_order_relaxed);
    return false;
  }
  count_ += count;
  return true;
}

void HeldDescriptors::give_back() {
  held.fetch_sub(count_, std::memory_order_relaxed);
  count_ = 0;
}

}  // namespace ioengine
