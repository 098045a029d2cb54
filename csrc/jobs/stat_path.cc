#include "jobs/stat_path.h"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/eintr.h"
#include "base/owned_fd.h"
#include "base/statx.h"
#include "jobs/result_codes.h"

namespace ioengine {

// The filesystem of what the path stands for. O_PATH: nothing is opened, no driver is woken.
void LookUpJob::learn_mount(bool follow) {
  const OwnedFd fd(open(path.c_str(), O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW)));
  if (!fd.is_open()) return;
  struct statx status;
  struct statfs fs;
  if (statx_at(fd.get(), "", AT_EMPTY_PATH, STATX_TYPE | kMountMask, &status) != 0) return;
  if (fstatfs(fd.get(), &fs) != 0) return;
  mount = mount_of(status);
  filesystem =
      filesystem_traits(static_cast<uint64_t>(fs.f_type) & 0xffffffffu, static_cast<uint64_t>(fs.f_flags));
  learned = true;
}

int32_t StatJob::run() {
  const int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
  const int32_t result =
      without_eintr([&] { return statx_at(AT_FDCWD, path.c_str(), flags, kStatxMask, &status); });
  if (result == 0 && learn) learn_mount(follow);
  return stat_result(result);
}

int32_t AccessJob::run() {
  const int32_t result = without_eintr([this] { return access(path.c_str(), mode); });
  if (result == 0 && learn) learn_mount(true);
  return result;
}

}  // namespace ioengine
