#include "jobs/path_syscalls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/eintr.h"
#include "jobs/path_job.h"
#include "jobs/result_codes.h"

namespace ioengine {
namespace {

bool is_directory(const char* path) {
  struct statx status;
  return statx(AT_FDCWD, path, 0, STATX_TYPE, &status) == 0 && S_ISDIR(status.stx_mode);
}

// The first that is missing is found from the end, and the others are made from there. Whatever goes wrong is
// node's to word: what has been made stays, as it does when node fails half way.
int32_t make_directories(PathJob* job) {
  const std::string& path = job->path;
  const auto mode = static_cast<mode_t>(job->first);
  size_t end = path.size();
  std::string part = path;
  while (mkdir(part.c_str(), mode) != 0) {
    if (errno == EEXIST) return end == path.size() && is_directory(part.c_str()) ? 0 : kNotTaken;
    if (errno != ENOENT) return kNotTaken;
    const size_t slash = path.find_last_of('/', end == path.size() ? end : end - 1);
    if (slash == std::string::npos || slash == 0 || slash >= end) return kNotTaken;
    end = slash;
    part.assign(path, 0, end);
  }
  job->found = part;
  while (end < path.size()) {
    const size_t slash = path.find('/', end + 1);
    end = slash == std::string::npos ? path.size() : slash;
    part.assign(path, 0, end);
    if (mkdir(part.c_str(), mode) != 0 && !(errno == EEXIST && is_directory(part.c_str()))) return kNotTaken;
  }
  return 0;
}

// Node opens for it, so an error of the open is one that names the path.
int32_t truncate_file(PathJob* job) {
  if (may_wait_on_open(job->path)) return kNotTaken;
  const int fd = open(job->path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd == -1) return errno == EINTR ? kNotTaken : -errno;
  const int32_t result = without_eintr([&] { return ftruncate(fd, static_cast<off_t>(job->first)); });
  ::close(fd);
  return result == 0 ? 0 : kNotTaken;
}

int32_t read_link(PathJob* job) {
  job->found.resize(PATH_MAX);
  const ssize_t size = readlink(job->path.c_str(), job->found.data(), job->found.size());
  if (size < 0) return -errno;
  job->found.resize(static_cast<size_t>(size));
  return 0;
}

int32_t real_path(PathJob* job) {
  job->found.resize(PATH_MAX);
  if (realpath(job->path.c_str(), job->found.data()) == nullptr) return -errno;
  job->found.resize(job->found.find('\0'));
  return 0;
}

}  // namespace

int32_t change_path(PathJob* job) {
  const char* path = job->path.c_str();
  const auto mode = static_cast<mode_t>(job->first);
  const auto user = static_cast<uid_t>(job->first);
  const auto group = static_cast<gid_t>(job->second);
  const char* target = job->target.c_str();
  switch (job->change) {
    case PathChange::kMakeDirectory:
      return without_eintr([&] { return mkdir(path, mode); });
    case PathChange::kRemoveDirectory:
      return without_eintr([&] { return rmdir(path); });
    case PathChange::kUnlink:
      return without_eintr([&] { return unlink(path); });
    case PathChange::kRename:
      return without_eintr([&] { return rename(path, target); });
    case PathChange::kLink:
      return without_eintr([&] { return link(path, target); });
    case PathChange::kSymbolicLink:
      return without_eintr([&] { return symlink(path, target); });
    case PathChange::kChangeMode:
      return without_eintr([&] { return chmod(path, mode); });
    case PathChange::kChangeOwner:
      return without_eintr([&] { return chown(path, user, group); });
    case PathChange::kChangeLinkOwner:
      return without_eintr([&] { return lchown(path, user, group); });
    case PathChange::kMakeDirectories:
      return make_directories(job);
    case PathChange::kTruncate:
      return truncate_file(job);
    case PathChange::kReadLink:
      return read_link(job);
    case PathChange::kRealPath:
      return real_path(job);
  }
  return kNotTaken;
}

}  // namespace ioengine
