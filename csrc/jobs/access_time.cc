#include "jobs/access_time.h"

#include <sys/statvfs.h>
#include <time.h>

#include <algorithm>

namespace ioengine {
namespace {

constexpr uint64_t kRelativeFlag =
    0x1000;  // ST_RELATIME of statfs(2), which glibc does not name in each mode
constexpr int64_t kSecond_ns = 1000000000;
constexpr int64_t kDay_ns = 24 * 60 * 60 * kSecond_ns;
constexpr int64_t kTick_ns = 20 * 1000 * 1000;

int64_t wall_now() {
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec * kSecond_ns + now.tv_nsec;
}

}  // namespace

bool is_past(int64_t time_ns) { return wall_now() - time_ns > kTick_ns; }

AccessTimes access_times_of(uint64_t flags) {
  if ((flags & (ST_RDONLY | ST_NOATIME)) != 0) return AccessTimes::kNever;
  return (flags & kRelativeFlag) != 0 ? AccessTimes::kRelative : AccessTimes::kAlways;
}

bool is_update_due(const struct statx& status, AccessTimes policy, DueUpdate* due) {
  if (policy == AccessTimes::kNever) return false;
  due->access_ns = in_ns(status.stx_atime);
  due->change_ns = std::max(in_ns(status.stx_mtime), in_ns(status.stx_ctime));
  return policy == AccessTimes::kAlways || due->access_ns <= due->change_ns ||
         wall_now() - due->access_ns >= kDay_ns - kSecond_ns;
}

bool AccessTimeTrial::is_never_kept(const DueUpdate& due) {
  if (running_ && due == due_) return served_;
  running_ = is_past(due.change_ns);
  served_ = false;
  due_ = due;
  return false;
}

}  // namespace ioengine
