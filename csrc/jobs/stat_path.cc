#include "jobs/path_job.h"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/eintr.h"
#include "jobs/result_codes.h"

namespace ioengine {
namespace {

// The filesystem of what the path stands for. O_PATH: nothing is opened, no driver is woken.
void learn_mount(PathJob* job) {
  const int fd = open(job->path.c_str(), O_PATH | O_CLOEXEC | (job->follow ? 0 : O_NOFOLLOW));
  if (fd == -1) return;
  struct statx status;
  struct statfs filesystem;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | kMountMask, &status) == 0 && fstatfs(fd, &filesystem) == 0) {
    job->mount = mount_of(status);
    job->filesystem = filesystem_traits(static_cast<uint64_t>(filesystem.f_type) & 0xffffffffu,
                                        static_cast<uint64_t>(filesystem.f_flags));
    job->learned = true;
  }
  ::close(fd);
}

}  // namespace

int32_t stat_path(PathJob* job) {
  const int flags = job->follow ? 0 : AT_SYMLINK_NOFOLLOW;
  const int32_t result =
      without_eintr([&] { return statx(AT_FDCWD, job->path.c_str(), flags, kStatxMask, &job->status); });
  if (result == 0 && job->learn) learn_mount(job);
  return result == -ENOSYS ? kNotTaken : result;
}

int32_t access_path(PathJob* job) {
  const int32_t result = without_eintr([&] { return access(job->path.c_str(), job->mode); });
  if (result == 0 && job->learn) learn_mount(job);
  return result;
}

}  // namespace ioengine
