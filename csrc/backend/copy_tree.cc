#include "backend/copy_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string>
#include <vector>

#include "backend/copy_file.h"
#include "backend/directory.h"
#include "backend/entries.h"
#include "backend/path_job.h"
#include "backend/pieces.h"
#include "backend/utf8.h"
#include "base/clock.h"
#include "base/limits.h"

namespace ioengine {
namespace {

// Steps: a letter, what goes with it, and a path from the top. Where something is in the way node does all of
// it over again: it can, as long as there are no links yet, which it would refuse to replace, and folders are
// open to their owner. So these two come last.
constexpr char kCopy = 'c';
constexpr char kGoOn = 'g';  // number of bytes done, a slash: the rest of a file
constexpr char kLink = 'l';
constexpr char kMode = 'm';  // mode, a slash: of a directory that we have made

enum class Outcome { kDone, kFailed, kTimeIsOver };

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// An absolute path without `.` and `..`, of a relative one from a directory.
std::string resolved(const std::string& directory, const std::string& path) {
  std::string whole = path[0] == '/' ? "" : directory;
  if (whole == "/") whole.clear();
  for (size_t start = 0; start <= path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    const std::string part = path.substr(start, end - start);
    start = end + 1;
    if (part == "..") {
      whole.resize(whole.empty() ? 0 : whole.rfind('/'));
    } else if (!part.empty() && part != ".") {
      whole += '/' + part;
    }
  }
  return whole.empty() ? "/" : whole;
}

bool are_same(const struct stat& left, const struct stat& right) {
  return left.st_ino == right.st_ino && left.st_dev == right.st_dev;
}

class Copying {
 public:
  explicit Copying(PathJob* job) : job_(job), options_(static_cast<int32_t>(job->first)) {}

  int32_t run() {
    if (job_->below.empty()) {
      if (!may_start()) return kNotTaken;
      left_.push_back(std::string(1, kCopy));
    } else {
      left_ = split_pieces(job_->below);
    }
    Outcome outcome = take_all();
    if (outcome == Outcome::kDone && (options_ & kCopyPart) == 0) {
      take_up_rest();
      outcome = take_all();
    }
    if (outcome == Outcome::kFailed && !changed_ && job_->below.empty()) return kNotTaken;
    take_up_rest();
    if (outcome == Outcome::kFailed) {
      for (const std::string& inner : made_links_) unlink(target(inner).c_str());
      if (!failed_.empty()) left_.push_back(failed_);
      left_.push_back("stopped");
    }
    if (left_.empty()) return 0;
    for (const std::string& step : left_) append_piece(&job_->found, step);
    job_->found.pop_back();
    return kUnfinished;
  }

 private:
  static std::string path_of(const std::string& top, const std::string& inner) {
    if (inner.empty()) return top;
    return top == "/" ? top + inner : top + '/' + inner;
  }
  std::string source(const std::string& inner) const { return path_of(job_->path, inner); }
  std::string target(const std::string& inner) const { return path_of(job_->target, inner); }

  // The target is not below the source, by whatever path. Node words the error.
  bool may_start() const {
    struct stat from, status;
    if (lstat(job_->path.c_str(), &from) != 0) return false;
    if (!S_ISDIR(from.st_mode) && (options_ & kCopyOnlyFolders) != 0) return false;
    if (S_ISDIR(from.st_mode) && (options_ & kCopyRecursive) == 0) return false;
    const std::string stop = parent_of(job_->path);
    for (std::string parent = parent_of(job_->target); parent != stop && parent != "/";
         parent = parent_of(parent)) {
      if (stat(parent.c_str(), &status) != 0) return errno == ENOENT;
      if (are_same(from, status)) return false;
    }
    return true;
  }

  Outcome take_all() {
    Outcome outcome = Outcome::kDone;
    while (outcome == Outcome::kDone && !left_.empty()) {
      const std::string step = std::move(left_.back());
      left_.pop_back();
      outcome = take(step);
      if (outcome == Outcome::kFailed && step[0] != kMode) failed_ = step;
      if (outcome == Outcome::kDone && monotonic_ns() > deadline_ns_) outcome = Outcome::kTimeIsOver;
    }
    return outcome;
  }

  // Modes of inner directories first: it is the last step that is taken next.
  void take_up_rest() {
    std::vector<std::string> rest = std::move(modes_);
    rest.insert(rest.end(), links_.begin(), links_.end());
    left_.insert(left_.begin(), rest.begin(), rest.end());
    modes_.clear();
    links_.clear();
  }

  Outcome take(const std::string& step) {
    if (step[0] == kCopy) return copy(step.substr(1));
    if (step[0] == kLink) return copy_link(step.substr(1));
    const size_t slash = step.find('/');
    const std::string inner = step.substr(slash + 1);
    const uint64_t number = std::strtoull(step.c_str() + 1, nullptr, 10);
    if (step[0] == kGoOn) return copy_content(inner, number);
    return chmod(target(inner).c_str(), static_cast<mode_t>(number)) == 0 ? Outcome::kDone : Outcome::kFailed;
  }

  Outcome copy(const std::string& inner) {
    struct stat from, to;
    if (lstat(source(inner).c_str(), &from) != 0) return Outcome::kFailed;
    const bool is_there = lstat(target(inner).c_str(), &to) == 0;
    if (!is_there && errno != ENOENT) return Outcome::kFailed;
    if (is_there && (are_same(from, to) || S_ISDIR(from.st_mode) != S_ISDIR(to.st_mode)))
      return Outcome::kFailed;
    if (S_ISDIR(from.st_mode)) return copy_directory(inner, from, is_there);
    if (S_ISLNK(from.st_mode)) {
      if (is_there || read_link(inner).empty()) return Outcome::kFailed;
      links_.push_back(kLink + inner);
      return Outcome::kDone;
    }
    if (!S_ISREG(from.st_mode)) return Outcome::kFailed;
    // The way to the source may lead through the link that the file is to replace. Node takes that away, too,
    // and then has its own words for what is missing.
    if (is_there && S_ISLNK(to.st_mode)) return Outcome::kFailed;
    if (is_there && unlink(target(inner).c_str()) != 0) return Outcome::kFailed;
    changed_ = changed_ || is_there;
    return copy_content(inner, 0);
  }

  Outcome copy_content(const std::string& inner, uint64_t done) {
    const Copied copied = copy_file(source(inner), target(inner), &done, deadline_ns_);
    if (copied == Copied::kTimeIsOver) {
      left_.push_back(kGoOn + std::to_string(done) + '/' + inner);
      return Outcome::kTimeIsOver;
    }
    changed_ = true;
    return copied == Copied::kAll ? Outcome::kDone : Outcome::kFailed;
  }

  // Where a link leads; empty where node has to look.
  std::string read_link(const std::string& inner) const {
    std::string text(PATH_MAX, '\0');
    const ssize_t size = readlink(source(inner).c_str(), text.data(), text.size());
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return is_utf8(text) ? text : "";
  }

  Outcome copy_link(const std::string& inner) {
    std::string text = read_link(inner);
    if (text.empty()) return Outcome::kFailed;
    if (text[0] != '/' && (options_ & kCopyVerbatimLinks) == 0)
      text = resolved(parent_of(source(inner)), text);
    changed_ = true;
    if (symlink(text.c_str(), target(inner).c_str()) != 0) return Outcome::kFailed;
    made_links_.push_back(inner);
    return Outcome::kDone;
  }

  // In the order in which the kernel lists them, as node goes through them.
  Outcome copy_directory(const std::string& inner, const struct stat& from, bool is_there) {
    if (!is_there) {
      if (mkdir(target(inner).c_str(), 0777) != 0) return Outcome::kFailed;
      changed_ = true;
      modes_.push_back(kMode + std::to_string(from.st_mode & 07777) + '/' + inner);
    }
    const int fd = open(source(inner).c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    if (fd == -1) return Outcome::kFailed;
    Entries entries;
    const bool complete = entries.read(fd);
    ::close(fd);
    if (!complete) return Outcome::kFailed;
    const std::string prefix = kCopy + (inner.empty() ? "" : inner + '/');
    for (auto entry = entries.list.rbegin(); entry != entries.list.rend(); ++entry) {
      const std::string name = entries.name(*entry);
      if (!is_utf8(name)) return Outcome::kFailed;
      left_.push_back(prefix + name);
    }
    return Outcome::kDone;
  }

  PathJob* const job_;
  const int32_t options_;
  bool changed_ = false;
  std::vector<std::string> left_;
  std::vector<std::string> links_;
  std::vector<std::string> modes_;
  std::vector<std::string> made_links_;
  std::string failed_;
  const uint64_t deadline_ns_ = monotonic_ns() + limits::slice_time_ns;
};

}  // namespace

int32_t copy_tree(PathJob* job) { return Copying(job).run(); }

}  // namespace ioengine
