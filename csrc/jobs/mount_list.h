// What is mounted where. From /proc/self/mountinfo (proc(5)).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/owned_fd.h"
#include "jobs/filesystem_kind.h"
#include "jobs/path_job.h"

namespace ioengine {

struct Mount {
  std::string point;
  uint64_t device = 0;
  FilesystemKind kind = FilesystemKind::kRemote;

  // May wait for a server or a driver in user space.
  bool remote() const { return kind == FilesystemKind::kRemote; }
};

// What a path can lead to, the longest mount points first: of several on one point the one that is seen, and
// nothing that is below a folder which something else was mounted over later.
struct MountList {
  std::vector<Mount> all;
  std::vector<Mount> remote;  // of these, the remote ones and whatever is mounted below one
};

// Of the text of mountinfo.
MountList parse_mounts(std::string_view text);

// Reads the list from its beginning. The descriptor is the caller's: poll(2) says on it that the list has
// changed.
struct MountListJob final : PathJob {
  explicit MountListJob(int fd) : PathJob({}), fd(fd) {}
  // 0 or -errno.
  int32_t run() override;

  const int fd;
  MountList list;
};

}  // namespace ioengine
