// Whether a read updates the file's access time. That starts a transaction of the filesystem, which waits
// while a neighbour's fsync(2) commits the journal (200 ms measured), and RWF_NOWAIT does not help (H33).
#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace ioengine {

// How a mount treats access times.
enum class AccessTimes : uint8_t {
  kNever,     // noatime, or read-only
  kRelative,  // the default: only where the last access is older than the last change, or than a day
  kAlways,    // strictatime
};

// The policy of a mount. `flags`: f_flags of statfs(2).
AccessTimes access_times_of(uint64_t flags);

// What a due update looks like: the access that is out of date and the change that makes it so.
struct DueUpdate {
  int64_t access_ns = 0;
  int64_t change_ns = 0;
  bool operator==(const DueUpdate& other) const {
    return access_ns == other.access_ns && change_ns == other.change_ns;
  }
};

// Nanoseconds since 1970.
inline int64_t in_ns(const statx_timestamp& time) { return time.tv_sec * int64_t{1000000000} + time.tv_nsec; }

// Whether a later change is sure to show another time than this one: the kernel's clock for times of files
// goes in ticks of up to 10 ms.
bool is_past(int64_t time_ns);

constexpr unsigned kAccessTimesMask = STATX_ATIME | STATX_MTIME | STATX_CTIME;

// Whether the next read of a file with these attributes updates its access time.
bool is_update_due(const struct statx& status, AccessTimes policy, DueUpdate* due);

// Learns of files whose access time is never kept, whatever the mount says: chattr +A, a mount that is
// noatime since. There an update stays due although a read has been served.
class AccessTimeTrial {
 public:
  // A read that was allowed to wait has been served.
  void read_was_served() { served_ = true; }
  // The update is due. True: it was before as well, and a read did not carry it out.
  bool is_never_kept(const DueUpdate& due);

 private:
  bool running_ = false;
  bool served_ = false;
  DueUpdate due_;
};

}  // namespace ioengine
