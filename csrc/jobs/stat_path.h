// stat(2), lstat(2) and access(2), and what the mount is where the inline lane does not know it yet.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "jobs/file_facts.h"
#include "jobs/path_job.h"
#include "jobs/result_codes.h"

namespace ioengine {

// What fs.Stats shows of a file: libuv's uv__fs_statx asks for the same.
constexpr unsigned kStatxMask = STATX_BASIC_STATS | STATX_BTIME;

// Of a statx(2): where a sandbox refuses it node has other calls. The kernel itself answers neither.
inline int32_t stat_result(int32_t result) {
  return result == -ENOSYS || result == -EPERM ? kUnsupported : result;
}

struct LookUpJob : PathJob {
  using PathJob::PathJob;

  bool learn = false;  // also find out what the mount is
  bool learned = false;
  MountId mount;
  FilesystemTraits filesystem;

 protected:
  void learn_mount(bool follow);
};

// Also the result of an fstat, which has no path and is not run.
struct StatJob final : LookUpJob {
  using LookUpJob::LookUpJob;
  // 0, -errno, or kUnsupported.
  int32_t run() override;

  bool follow = true;  // a symbolic link at the end of the path
  struct statx status = {};
};

struct AccessJob final : LookUpJob {
  using LookUpJob::LookUpJob;
  // 0 or -errno.
  int32_t run() override;

  int32_t mode = F_OK;  // or R_OK, W_OK and X_OK
};

}  // namespace ioengine
