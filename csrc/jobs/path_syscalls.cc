#include "jobs/path_syscalls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/eintr.h"
#include "base/owned_fd.h"
#include "base/statx.h"
#include "jobs/open_file.h"
#include "jobs/result_codes.h"

namespace ioengine {
namespace {

bool is_directory(const char* path) {
  struct statx status;
  return statx_at(AT_FDCWD, path, 0, STATX_TYPE, &status) == 0 && S_ISDIR(status.stx_mode);
}

}  // namespace

int32_t MakeDirectoryJob::run() {
  return without_eintr([this] { return mkdir(path.c_str(), mode); });
}

// The first that is missing is found from the end, and the others are made from there. Whatever goes wrong,
// node:fs raises the error. It begins again, and says which directory was the first that it made: so what has
// been made here is taken away.
int32_t MakeDirectoriesJob::run() {
  size_t end = path.size();
  std::string part = path;
  const auto make = [&] { return without_eintr([&] { return mkdir(part.c_str(), mode); }) == 0; };
  while (!make()) {
    if (errno == EEXIST) return end == path.size() && is_directory(part.c_str()) ? 0 : kUnsupported;
    if (errno != ENOENT) return kUnsupported;
    const size_t slash = path.find_last_of('/', end == path.size() ? end : end - 1);
    if (slash == std::string::npos || slash == 0 || slash >= end) return kUnsupported;
    end = slash;
    part.assign(path, 0, end);
  }
  found = part;
  std::vector<std::string> made = {part};
  while (end < path.size()) {
    const size_t slash = path.find('/', end + 1);
    end = slash == std::string::npos ? path.size() : slash;
    part.assign(path, 0, end);
    if (make()) {
      made.push_back(part);
    } else if (errno != EEXIST || !is_directory(part.c_str())) {
      for (auto last = made.rbegin(); last != made.rend(); ++last) rmdir(last->c_str());
      return kUnsupported;
    }
  }
  return 0;
}

int32_t RemoveDirectoryJob::run() {
  return without_eintr([this] { return rmdir(path.c_str()); });
}

int32_t UnlinkJob::run() {
  return without_eintr([this] { return unlink(path.c_str()); });
}

// Node opens for it, so an error of the open is one that names the path.
int32_t TruncateJob::run() {
  if (may_wait_on_open(path)) return kUnsupported;
  const OwnedFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.is_open()) return errno == EINTR ? kUnsupported : -errno;
  const int32_t result =
      without_eintr([this, &fd] { return ftruncate(fd.get(), static_cast<off_t>(length)); });
  return result == 0 ? 0 : kUnsupported;
}

int32_t ChangeModeJob::run() {
  return without_eintr([this] { return chmod(path.c_str(), mode); });
}

int32_t ChangeOwnerJob::run() {
  const char* name = path.c_str();
  return without_eintr([&] { return follow ? chown(name, user, group) : lchown(name, user, group); });
}

int32_t ReadLinkJob::run() {
  found.resize(PATH_MAX);
  const ssize_t size = readlink(path.c_str(), found.data(), found.size());
  if (size < 0) return -errno;
  found.resize(static_cast<size_t>(size));
  return 0;
}

int32_t RealPathJob::run() {
  found.resize(PATH_MAX);
  if (realpath(path.c_str(), found.data()) == nullptr) return -errno;
  found.resize(found.find('\0'));
  return 0;
}

int32_t RenameJob::run() {
  return without_eintr([this] { return rename(path.c_str(), target.c_str()); });
}

int32_t LinkJob::run() {
  return without_eintr([this] { return link(path.c_str(), target.c_str()); });
}

int32_t SymbolicLinkJob::run() {
  return without_eintr([this] { return symlink(text.c_str(), path.c_str()); });
}

int32_t MakeTemporaryJob::run() {
  found = path;
  return mkdtemp(found.data()) != nullptr ? 0 : -errno;
}

int32_t SetTimesJob::run() {
  const int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
  return without_eintr([&] { return utimensat(AT_FDCWD, path.c_str(), times.values, flags); });
}

int32_t StatFilesystemJob::run() {
  return without_eintr([this] { return statfs(path.c_str(), &status); });
}

}  // namespace ioengine
