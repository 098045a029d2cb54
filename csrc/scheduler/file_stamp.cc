#include "scheduler/file_stamp.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>

#include "base/statx.h"

namespace ioengine {
namespace {

constexpr int64_t kNsPerS = 1000 * 1000 * 1000;

// A write(2) sets the times first and copies then, up to 2 GiB: so long may a call with older times still be
// at work. Longer than a tick of the clock (1 to 10 ms), in which two changes get the same times.
constexpr int64_t kSettled_ns = kNsPerS;
constexpr int64_t kSettledCoarse_ns = 2 * kNsPerS;  // inodes without room for nanoseconds

int64_t nanoseconds(const timespec& time) { return time.tv_sec * kNsPerS + time.tv_nsec; }
int64_t nanoseconds(const statx_timestamp& time) { return time.tv_sec * kNsPerS + time.tv_nsec; }

}  // namespace

// The kernel takes the time of a change from the clock that is read here first, or from a finer one. So a
// change behind this call gets that time or a later one.
bool take_stamp(int fd, FileStamp* stamp) {
  timespec now;
  struct statx status;
  constexpr unsigned kWanted = STATX_TYPE | STATX_SIZE | STATX_MTIME | STATX_CTIME;
  if (clock_gettime(CLOCK_REALTIME_COARSE, &now) != 0) return false;
  if (statx_at(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, kWanted, &status) != 0) return false;
  *stamp = {status.stx_size, status.stx_mtime.tv_sec, status.stx_mtime.tv_nsec, status.stx_ctime.tv_sec,
            status.stx_ctime.tv_nsec};
  if (!S_ISREG(status.stx_mode) || (status.stx_mask & kWanted) != kWanted) return false;
  const int64_t latest = std::max(nanoseconds(status.stx_mtime), nanoseconds(status.stx_ctime));
  const bool is_coarse = stamp->modified_ns == 0 && stamp->changed_ns == 0;
  return nanoseconds(now) - latest > (is_coarse ? kSettledCoarse_ns : kSettled_ns);
}

}  // namespace ioengine
