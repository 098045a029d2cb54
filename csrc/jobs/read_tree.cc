#include "jobs/read_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <string>

#include "base/clock.h"
#include "base/limits.h"
#include "jobs/directory_entries.h"
#include "jobs/nul_list.h"
#include "jobs/result_codes.h"

namespace ioengine {
namespace {

class Walk {
 public:
  explicit Walk(ReadTreeJob* job)
      : job_(job),
        top_(job->path),
        with_types_((job->options & kTreeTypes) != 0),
        by_levels_((job->options & kTreeLevels) != 0),
        follows_links_(!with_types_ || (job->options & kTreeFollowsLinks) != 0),
        found_(&job->found) {
    for (std::string& directory : split_pieces(job->below)) left_.push_back(std::move(directory));
  }

  int32_t run() {
    do {
      const int32_t result = read(take_next());
      if (result != 0) return result;
    } while (!left_.empty() && monotonic_ns() <= deadline_ns_);
    for (const std::string& directory : left_) append_piece(&job_->left, directory);
    return left_.empty() ? 0 : kUnfinished;
  }

 private:
  std::string take_next() {
    std::string next = std::move(by_levels_ ? left_.front() : left_.back());
    if (by_levels_) {
      left_.pop_front();
    } else {
      left_.pop_back();
    }
    return next;
  }

  // Whole paths, not descriptors: how many links may be followed depends on all of a path.
  std::string path_of(const std::string& inner) const {
    if (inner.empty()) return top_;
    return top_.back() == '/' ? top_ + inner : top_ + '/' + inner;
  }

  void put(const std::string& piece) { append_piece(found_, piece); }

  int32_t read(const std::string& directory) {
    const int fd = open(path_of(directory).c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    if (fd == -1) return directory.empty() ? -errno : kUnsupported;
    Entries entries;
    bool complete = entries.read(fd);
    entries.sort();
    for (Entry& entry : entries.list) {
      // Without a number for its type it is node's to show.
      complete = complete && entries.find_type(fd, &entry) && uv_type(entry) != 0;
    }
    ::close(fd);
    if (!complete) return kUnsupported;
    put_entries(directory, entries);
    return 0;
  }

  void put_entries(const std::string& directory, const Entries& entries) {
    if (with_types_) {
      put(directory);
      for (const Entry& entry : entries.list) found_->push_back(uv_type(entry));
      found_->push_back('\0');
    }
    std::string inner = directory.empty() ? "" : directory + '/';
    const size_t prefix = inner.size();
    for (const Entry& entry : entries.list) {
      const char* name = entries.name(entry);
      inner.replace(prefix, std::string::npos, name);
      put(with_types_ ? name : inner);
      if (is_walked(entry, inner)) left_.push_back(inner);
    }
  }

  bool is_walked(const Entry& entry, const std::string& inner) const {
    if (entry.type != DT_LNK || !follows_links_) return entry.type == DT_DIR;
    struct stat status;
    return stat(path_of(inner).c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  }

  ReadTreeJob* const job_;
  const std::string& top_;
  const bool with_types_;
  const bool by_levels_;
  const bool follows_links_;
  std::string* const found_;
  std::deque<std::string> left_;
  const uint64_t deadline_ns_ = monotonic_ns() + limits::slice_time_ns;
};

}  // namespace

int32_t ReadTreeJob::run() { return Walk(this).run(); }

}  // namespace ioengine
