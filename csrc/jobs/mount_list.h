// What is mounted where, as far as it matters: mounts whose filesystem may wait for a server, and those below
// them. From /proc/self/mountinfo (proc(5)).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/owned_fd.h"
#include "jobs/path_job.h"

namespace ioengine {

struct Mount {
  std::string point;
  uint64_t device = 0;
  bool remote = false;
};

// Whether a filesystem of this type (as mountinfo names it) may wait for a server or a driver in user space:
// every one that is not known to be local, in memory, or one of the kernel's own.
bool is_remote_type(std::string_view type);

// Of the text of mountinfo: remote mounts, which may wait for a server or a driver in user space, and
// whatever is mounted below one. The longest mount points first; of several on one point the last, which is
// the one that is seen.
std::vector<Mount> parse_mounts(std::string_view text);

// Reads the list from its beginning. The descriptor is the caller's: poll(2) says on it that the list has
// changed.
struct MountListJob final : PathJob {
  explicit MountListJob(int fd) : PathJob({}), fd(fd) {}
  // 0 or -errno.
  int32_t run() override;

  const int fd;
  std::vector<Mount> mounts;
};

}  // namespace ioengine
