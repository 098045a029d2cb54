#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "backend/directory.h"
#include "backend/entries.h"
#include "backend/path_job.h"
#include "base/clock.h"
#include "base/limits.h"

namespace ioengine {
namespace {

enum class Outcome { kDone, kFailed, kTimeIsOver };

class Removal {
 public:
  // Everything in the directory `name`, and the directory. A symbolic link is never followed: what stands at
  // the name when it is opened is a directory, or the removal ends.
  Outcome remove_directory(int parent, const char* name, int depth) {
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0) return Outcome::kDone;
    if (errno != ENOTEMPTY && errno != EEXIST) return Outcome::kFailed;
    // Each level holds a descriptor and some stack.
    if (depth > limits::tree_depth) return Outcome::kFailed;
    const int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (directory == -1) return Outcome::kFailed;
    const Outcome outcome = remove_content(directory, depth);
    ::close(directory);
    if (outcome != Outcome::kDone) return outcome;
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 ? Outcome::kDone : Outcome::kFailed;
  }

 private:
  Outcome remove_content(int directory, int depth) {
    Entries entries;
    if (!entries.read(directory)) return Outcome::kFailed;
    for (const Entry& entry : entries.list) {
      if (monotonic_ns() > deadline_ns_) return Outcome::kTimeIsOver;
      const char* name = entries.name(entry);
      if (entry.type != DT_DIR && unlinkat(directory, name, 0) == 0) continue;
      // DT_UNKNOWN, or another one has put a directory there.
      if (entry.type != DT_DIR && errno != EISDIR) return Outcome::kFailed;
      const Outcome outcome = remove_directory(directory, name, depth + 1);
      if (outcome != Outcome::kDone) return outcome;
    }
    return Outcome::kDone;
  }

  const uint64_t deadline_ns_ = monotonic_ns() + limits::tree_time_ns;
};

}  // namespace

int32_t remove_tree(PathJob* job) {
  struct statx status;
  const char* path = job->path.c_str();
  if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status) != 0) {
    const bool force = job->second != 0;
    return force && errno == ENOENT ? 0 : kNotTaken;
  }
  if (!S_ISDIR(status.stx_mode)) return unlink(path) == 0 ? 0 : kNotTaken;
  const bool recursive = job->first != 0;
  if (!recursive) return kNotTaken;
  switch (Removal().remove_directory(AT_FDCWD, path, 0)) {
    case Outcome::kDone:
      return 0;
    case Outcome::kTimeIsOver:
      return kUnfinished;
    case Outcome::kFailed:
      break;
  }
  return kNotTaken;
}

}  // namespace ioengine
