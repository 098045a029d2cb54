#include "scheduler/path_order.h"

#include <fcntl.h>

#include <algorithm>
#include <string_view>

#include "backend/path_job.h"

namespace ioengine {
namespace {

struct Paths {
  std::string_view first;
  std::string_view second;  // empty where there is one path
};

std::string_view without_slashes(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}

Paths paths_of(const Request* request) {
  if (request->operation == Operation::kOpen) return {without_slashes(request->open->path), {}};
  const PathJob& job = *request->path;
  const bool is_text =
      job.change == PathChange::kSymbolicLink && request->operation == Operation::kChangePath;
  if (is_text) return {without_slashes(job.target), {}};
  return {without_slashes(job.path), without_slashes(job.target)};
}

bool is_at_or_below(std::string_view path, std::string_view folder) {
  if (folder.empty() || path.substr(0, folder.size()) != folder) return false;
  return path.size() == folder.size() || path[folder.size()] == '/' || folder.back() == '/';
}

bool holds_back_others(const Request* request) {
  switch (request->operation) {
    case Operation::kChangePath:
      return true;
    case Operation::kWriteFile:
      return !request->path->write.sync;
    case Operation::kOpen:
      return (request->open->flags & (O_CREAT | O_TRUNC)) != 0;
    default:
      return false;
  }
}

// Also about what is below its path.
bool is_about_a_folder(Operation operation) {
  return operation == Operation::kReadDirectory || operation == Operation::kReadTree ||
         changes_paths(operation);
}

bool is_related(const Request* earlier, const Request* later) {
  const Paths changed = paths_of(earlier), wanted = paths_of(later);
  const bool both_ways = is_about_a_folder(later->operation);
  for (std::string_view change : {changed.first, changed.second}) {
    for (std::string_view path : {wanted.first, wanted.second}) {
      if (is_at_or_below(path, change) || (both_ways && is_at_or_below(change, path))) return true;
    }
  }
  return false;
}

}  // namespace

void PathOrder::add(Request* request) {
  request->call = ++calls_;
  if (!holds_back_others(request)) return;
  if (count_ == kChanges) {
    std::copy(changes_ + 1, changes_ + kChanges, changes_);
    --count_;
  }
  changes_[count_++] = request;
}

void PathOrder::add_write(Request* request) {
  request->call = ++calls_;
  write_ = request;
}

void PathOrder::remove(const Request* request) {
  if (write_ == request) write_ = nullptr;
  count_ = static_cast<size_t>(std::remove(changes_, changes_ + count_, request) - changes_);
}

void PathOrder::keep_short_ones() {
  const auto may_take_long = [](const Request* change) {
    return change->operation != Operation::kChangePath;
  };
  count_ = static_cast<size_t>(std::remove_if(changes_, changes_ + count_, may_take_long) - changes_);
}

Request* PathOrder::find_earlier(const Request* request) const {
  for (size_t i = count_; i-- > 0;) {
    if (changes_[i]->call < request->call && is_related(changes_[i], request)) return changes_[i];
  }
  if (write_ != nullptr && write_->call < request->call) return write_;
  return nullptr;
}

}  // namespace ioengine
