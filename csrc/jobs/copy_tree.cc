#include "jobs/copy_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/utf8.h"
#include "jobs/copy_file.h"
#include "jobs/directory_entries.h"
#include "jobs/result_codes.h"

namespace ioengine {
namespace {

// As std::filesystem::path has it, which would bring a third of a megabyte of the library with it: without
// `.`, `..` behind a name and empty parts; where one of these was the end, a slash is.
std::string lexically_normal(std::string_view path) {
  const bool absolute = !path.empty() && path[0] == '/';
  std::vector<std::string_view> parts;
  bool ends_in_slash = false;
  for (size_t start = 0; start <= path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    const std::string_view part = path.substr(start, end - start);
    start = end + 1;
    const bool goes_up = part == "..";
    ends_in_slash = part.empty() || part == "." || goes_up;
    if (goes_up && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!part.empty() && part != "." && !(goes_up && absolute)) {
      parts.push_back(part);
    }
  }
  std::string normal = absolute ? "/" : "";
  for (size_t i = 0; i < parts.size(); ++i) normal.append(i > 0 ? "/" : "").append(parts[i]);
  if (ends_in_slash && !parts.empty() && parts.back() != "..") normal += '/';
  return normal.empty() ? "." : normal;
}

constexpr mode_t kAllBits = 07777;

// Where something is in the way node does all of it over again: it can, as long as there are no links yet,
// which it would refuse to replace, and folders are open to their owner. So these two come last.
struct Step {
  enum class Kind { kCopy, kLink, kMode };
  Kind kind;
  std::string inner;  // path from the top
  mode_t mode = 0;    // kMode: of a directory that we have made
};

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

class Copy final : public ResumableWork {
 public:
  explicit Copy(CopyTreeJob* job) : job_(job), options_(job->options) {}

  int32_t run(const TimeSlice& slice) override {
    held_.give_back();
    if (!started_ && !may_start()) return kUnsupported;
    if (!std::exchange(started_, true)) left_.push_back({Step::Kind::kCopy, ""});
    for (;;) {
      const Outcome outcome = take_next(slice);
      if (outcome == Outcome::kFailed) return stop();
      if (!has_next()) return 0;
      if (outcome == Outcome::kTimeIsOver || slice.is_over() || job_->is_ending()) return kUnfinished;
    }
  }

  bool is_in_file() const override { return file_ != nullptr; }

 private:
  static std::string path_of(const std::string& top, const std::string& inner) {
    if (inner.empty()) return top;
    return top == "/" ? top + inner : top + '/' + inner;
  }
  std::string source(const std::string& inner) const { return path_of(job_->path, inner); }
  std::string target(const std::string& inner) const { return path_of(job_->target, inner); }

  // The target is not below the source, by whatever path. Node raises the error.
  bool may_start() const {
    struct stat from, status;
    if (lstat(job_->path.c_str(), &from) != 0) return false;
    if (!S_ISDIR(from.st_mode) && has(kCopyOnlyFolders)) return false;
    if (S_ISDIR(from.st_mode) && !has(kCopyRecursive)) return false;
    const std::string stop = parent_of(job_->path);
    for (std::string parent = parent_of(job_->target); parent != stop && parent != "/";
         parent = parent_of(parent)) {
      if (stat(parent.c_str(), &status) != 0) return errno == ENOENT;
      if (are_same(from, status)) return false;
    }
    return true;
  }

  Outcome take_next(const TimeSlice& slice) {
    if (file_ != nullptr) return copy_content(slice);
    const Step step = std::move(left_.back());
    left_.pop_back();
    const Outcome outcome = take(step, slice);
    if (outcome == Outcome::kFailed && step.kind != Step::Kind::kMode) failed_ = step.inner;
    return outcome;
  }

  // Modes of inner directories first: it is the last step that is taken next.
  bool has_next() {
    if (file_ != nullptr) return true;
    if (left_.empty()) {
      left_ = std::exchange(modes_, {});
      left_.insert(left_.end(), links_.begin(), links_.end());
      links_.clear();
    }
    return !left_.empty();
  }

  Outcome take(const Step& step, const TimeSlice& slice) {
    switch (step.kind) {
      case Step::Kind::kCopy:
        return copy(step.inner, slice);
      case Step::Kind::kLink:
        return copy_link(step.inner);
      case Step::Kind::kMode:
        break;
    }
    return chmod(target(step.inner).c_str(), step.mode) == 0 ? Outcome::kDone : Outcome::kFailed;
  }

  // The last one first. Where somebody has put something into a directory meanwhile it stays.
  void remove_what_was_made() {
    for (const std::string& inner : made_links_) unlink(target(inner).c_str());
    for (const std::string& inner : made_files_) unlink(target(inner).c_str());
    for (auto inner = made_folders_.rbegin(); inner != made_folders_.rend(); ++inner)
      rmdir(target(*inner).c_str());
  }

  bool has(CopyOption option) const { return (options_ & option) != 0; }

  // All that is left is node's.
  int32_t stop() {
    if (has(kCopyNewFolders)) {
      remove_what_was_made();
      return kUnsupported;
    }
    for (const std::string& inner : made_links_) unlink(target(inner).c_str());
    std::unordered_set<std::string> incomplete;
    if (failed_.has_value()) add_with_parents(*failed_, &incomplete);
    for (const Step& step : left_) {
      if (step.kind == Step::Kind::kCopy) add_with_parents(step.inner, &incomplete);
      if (step.kind == Step::Kind::kMode) modes_.push_back(step);
    }
    if (modes_.empty()) return kUnsupported;
    const auto rest = std::stable_partition(modes_.rbegin(), modes_.rend(), [&](const Step& step) {
      return incomplete.find(step.inner) == incomplete.end();
    });
    for (auto step = modes_.rbegin(); step != modes_.rend(); ++step)
      job_->modes.push_back({target(step->inner), step->mode, step < rest});
    return kCopyStopped;
  }

  static void add_with_parents(std::string inner, std::unordered_set<std::string>* folders) {
    while (folders->insert(inner).second && !inner.empty()) {
      const size_t slash = inner.rfind('/');
      inner.resize(slash == std::string::npos ? 0 : slash);
    }
  }

  Outcome copy(const std::string& inner, const TimeSlice& slice) {
    struct stat from, to;
    if (lstat(source(inner).c_str(), &from) != 0) return Outcome::kFailed;
    const bool is_there = lstat(target(inner).c_str(), &to) == 0;
    if (!is_there && errno != ENOENT) return Outcome::kFailed;
    if (is_there && (are_same(from, to) || S_ISDIR(from.st_mode) != S_ISDIR(to.st_mode)))
      return Outcome::kFailed;
    if (S_ISDIR(from.st_mode)) return copy_directory(inner, from, is_there);
    if (S_ISLNK(from.st_mode)) {
      if (is_there || read_link(inner).empty()) return Outcome::kFailed;
      links_.push_back({Step::Kind::kLink, inner});
      return Outcome::kDone;
    }
    if (!S_ISREG(from.st_mode)) return Outcome::kFailed;
    // The way to the source may lead through the link that the file is to replace. Node takes that away, too,
    // and then raises its own error for what is missing.
    if (is_there && S_ISLNK(to.st_mode)) return Outcome::kFailed;
    if (is_there && unlink(target(inner).c_str()) != 0) return Outcome::kFailed;
    file_ = std::make_unique<FileCopy>();
    file_inner_ = inner;
    if (!file_->open(source(inner), target(inner))) return fail_in_file();
    if (has(kCopyNewFolders) && !is_there) made_files_.push_back(inner);
    return copy_content(slice);
  }

  // A file that is not complete keeps its descriptors. Where too many are held already it is copied to its
  // end, and so it is when the process or the thread ends: that may cut a tree short, but not a file.
  Outcome copy_content(const TimeSlice& slice) {
    Copied copied;
    do {
      copied = file_->copy_on(slice);
    } while (copied == Copied::kTimeIsOver && (job_->is_ending() || !held_.take(FileCopy::kDescriptors)));
    if (copied == Copied::kTimeIsOver) return Outcome::kTimeIsOver;
    if (copied == Copied::kFailed) return fail_in_file();
    file_.reset();
    return Outcome::kDone;
  }

  Outcome fail_in_file() {
    file_.reset();
    failed_ = file_inner_;
    return Outcome::kFailed;
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
    if (text[0] != '/' && !has(kCopyVerbatimLinks)) {
      const std::string from = parent_of(source(inner));
      text = is_in_new_folder(inner) ? lexically_normal(from + '/' + text) : resolved(from, text);
    }
    if (symlink(text.c_str(), target(inner).c_str()) != 0) return Outcome::kFailed;
    made_links_.push_back(inner);
    return Outcome::kDone;
  }

  // Whose links Node 26 leads where they led by the rules of C++: a slash at the end stays.
  bool is_in_new_folder(const std::string& inner) const {
    if (!has(kCopyNewFolders) || inner.empty()) return false;
    const size_t slash = inner.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : inner.substr(0, slash);
    return new_folders_.count(folder) != 0;
  }

  // In the order in which the kernel lists them, as node goes through them.
  Outcome copy_directory(const std::string& inner, const struct stat& from, bool is_there) {
    if (!is_there) {
      if (mkdir(target(inner).c_str(), 0777) != 0) return Outcome::kFailed;
      modes_.push_back({Step::Kind::kMode, inner, from.st_mode & kAllBits});
      if (has(kCopyNewFolders)) {
        made_folders_.push_back(inner);
        new_folders_.insert(inner);
      }
    }
    const int fd = open(source(inner).c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    if (fd == -1) return Outcome::kFailed;
    Entries entries;
    const bool complete = entries.read(fd);
    ::close(fd);
    if (!complete) return Outcome::kFailed;
    const std::string prefix = inner.empty() ? "" : inner + '/';
    for (auto entry = entries.list.rbegin(); entry != entries.list.rend(); ++entry) {
      const std::string name = entries.name(*entry);
      if (!is_utf8(name)) return Outcome::kFailed;
      left_.push_back({Step::Kind::kCopy, prefix + name});
    }
    return Outcome::kDone;
  }

  CopyTreeJob* const job_;
  const int32_t options_;
  bool started_ = false;
  std::vector<Step> left_;  // the last of them next
  std::vector<Step> links_;
  std::vector<Step> modes_;
  std::vector<std::string> made_links_;
  std::vector<std::string> made_files_;    // with kCopyNewFolders, as what follows
  std::vector<std::string> made_folders_;  // outer ones first
  std::unordered_set<std::string> new_folders_;
  std::optional<std::string> failed_;  // what could not be copied
  std::unique_ptr<FileCopy> file_;     // under way
  std::string file_inner_;
  HeldDescriptors held_;
};

}  // namespace

int32_t CopyTreeJob::begin(std::unique_ptr<ResumableWork>* work) {
  *work = std::make_unique<Copy>(this);
  return kUnfinished;
}

}  // namespace ioengine
