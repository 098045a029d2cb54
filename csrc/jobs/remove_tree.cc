#include "jobs/remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/owned_fd.h"
#include "base/statx.h"
#include "jobs/directory_entries.h"
#include "jobs/result_codes.h"

namespace ioengine {
namespace {

enum class Step { kContinue, kDone, kFailed };

// A directory and all in it. It holds the directories from the top down to the one that it empties, reads
// that one a part at a time and removes what it has read, so the time taken is linear in the number of
// entries. A symbolic link is never followed: what stands at a name when it is opened is a directory, or the
// removal ends.
class Removal final : public ResumableWork {
 public:
  explicit Removal(std::string path) : path_(std::move(path)) {}

  int32_t run(const TimeSlice& slice) override {
    held_.give_back();
    has_removed_ = false;
    for (;;) {
      const Step step = levels_.empty() ? enter(path_) : remove_next();
      if (step == Step::kDone) return 0;
      if (step == Step::kFailed) return kUnsupported;
      if (slice.is_over() && may_pause()) return kUnfinished;
    }
  }

 private:
  struct Level {
    std::string name;  // in the level above
    OwnedFd directory;
    Entries entries;  // a part of them
    size_t next = 0;
  };

  // Where too many jobs are under way the next slice starts at the top again, with what is left. The way down
  // may take longer than a slice, so this one goes on until there is less.
  bool may_pause() {
    if (held_.take(levels_.size())) return true;
    if (has_removed_) levels_.clear();
    return has_removed_;
  }

  int parent() const { return levels_.empty() ? AT_FDCWD : levels_.back().directory.get(); }

  Step removed_directory() {
    has_removed_ = true;
    return levels_.empty() ? Step::kDone : Step::kContinue;
  }

  Step enter(std::string name) {
    if (unlinkat(parent(), name.c_str(), AT_REMOVEDIR) == 0) return removed_directory();
    if (errno != ENOTEMPTY && errno != EEXIST) return Step::kFailed;
    // Each level holds a descriptor.
    if (levels_.size() > static_cast<size_t>(limits::tree_depth)) return Step::kFailed;
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    Level level;
    level.directory = OwnedFd(openat(parent(), name.c_str(), kFlags));
    if (!level.directory.is_open()) return Step::kFailed;
    level.name = std::move(name);
    levels_.push_back(std::move(level));
    return Step::kContinue;
  }

  Step remove_next() {
    Level& level = levels_.back();
    if (level.next == level.entries.list.size()) return read_more(&level);
    const Entry& entry = level.entries.list[level.next++];
    const char* name = level.entries.name(entry);
    if (entry.type != DT_DIR && unlinkat(level.directory.get(), name, 0) == 0) {
      has_removed_ = true;
      return Step::kContinue;
    }
    // DT_UNKNOWN, or someone has put a directory there.
    if (entry.type != DT_DIR && errno != EISDIR) return Step::kFailed;
    return enter(name);
  }

  Step read_more(Level* level) {
    level->entries.clear();
    level->next = 0;
    switch (level->entries.read_part(level->directory.get())) {
      case Entries::Part::kRead:
        return Step::kContinue;
      case Entries::Part::kEnd:
        return leave();
      case Entries::Part::kError:
        break;
    }
    return Step::kFailed;
  }

  // What someone has put there meanwhile, or a filesystem has left out because the names before it went away,
  // is node's to meet.
  Step leave() {
    const std::string name = std::move(levels_.back().name);
    levels_.pop_back();
    return unlinkat(parent(), name.c_str(), AT_REMOVEDIR) == 0 ? removed_directory() : Step::kFailed;
  }

  const std::string path_;
  std::vector<Level> levels_;
  HeldDescriptors held_;
  bool has_removed_ = false;  // in this slice
};

}  // namespace

int32_t RemoveTreeJob::begin(std::unique_ptr<ResumableWork>* work) {
  struct statx status;
  if (statx_at(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status) != 0)
    return force && errno == ENOENT ? 0 : kUnsupported;
  if (!S_ISDIR(status.stx_mode)) return unlink(path.c_str()) == 0 ? 0 : kUnsupported;
  if (!recursive) return kUnsupported;
  *work = std::make_unique<Removal>(path);
  return kUnfinished;
}

}  // namespace ioengine
