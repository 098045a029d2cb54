#include "scheduler/path_order.h"

#include <fcntl.h>

#include <algorithm>
#include <string_view>

#include "jobs/open_file.h"
#include "jobs/write_file.h"

namespace ioengine {
namespace {

std::string_view without_slashes(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}

PathPair paths_of(const Request* request) {
  if (request->operation == Operation::kOpen) return {without_slashes(request->open->path), {}};
  const PathPair paths = request->job->paths();
  return {without_slashes(paths.first), without_slashes(paths.second)};
}

bool is_at_or_below(std::string_view path, std::string_view folder) {
  if (folder.empty() || path.substr(0, folder.size()) != folder) return false;
  return path.size() == folder.size() || path[folder.size()] == '/' || folder.back() == '/';
}

bool holds_back_all(const Request* request) {
  switch (request->operation) {
    case Operation::kChangePath:
    case Operation::kCopyFile:
      return true;
    case Operation::kWriteFile:
      return !static_cast<const WriteFileJob*>(request->job)->sync;
    case Operation::kOpen:
      return (request->open->flags & (O_CREAT | O_TRUNC)) != 0;
    default:
      return false;
  }
}

// Not for a whole tree, which takes long.
bool holds_back_changes(const Request* request) {
  switch (request->operation) {
    case Operation::kStat:
    case Operation::kAccess:
    case Operation::kReadFile:
    case Operation::kReadDirectory:
    case Operation::kOpenDirectory:
    case Operation::kReadEntries:
    case Operation::kStatFilesystem:
    case Operation::kReadLink:
      return true;
    case Operation::kOpen:
      return !holds_back_all(request);
    default:
      return false;
  }
}

bool changes_something(const Request* request) {
  return changes_paths(request->operation) || holds_back_all(request);
}

// Whether it holds back calls of later ticks. What may take long does not, nor do queries.
bool lasts(const Request* request) { return request->operation == Operation::kChangePath; }

// Also about what is below its path. The names in a folder change with what is right below it alone: further
// below there may be a mount that does not answer.
bool is_about(Operation operation, std::string_view path, std::string_view change) {
  if (!is_at_or_below(change, path)) return false;
  switch (operation) {
    case Operation::kReadDirectory:
    case Operation::kOpenDirectory:
    case Operation::kReadEntries:
      return change.find('/', path.size() + 1) == std::string_view::npos;
    case Operation::kReadTree:
    case Operation::kCopyFile:
      return true;
    default:
      return changes_paths(operation);
  }
}

// A query leaves its path as it is, and a copy its first one: such calls do not mind each other.
bool only_reads(const Request* request, bool first) {
  const bool copies =
      request->operation == Operation::kCopyFile || request->operation == Operation::kCopyTree;
  return copies ? first : !changes_something(request);
}

bool is_related(const Request* earlier, const Request* later) {
  const PathPair before = paths_of(earlier), wanted = paths_of(later);
  const auto meet = [&](bool first_before, bool first_wanted) {
    if (only_reads(earlier, first_before) && only_reads(later, first_wanted)) return false;
    const std::string_view change = first_before ? before.first : before.second;
    const std::string_view path = first_wanted ? wanted.first : wanted.second;
    return is_at_or_below(path, change) || is_about(later->operation, path, change);
  };
  return meet(true, true) || meet(true, false) || meet(false, true) || meet(false, false);
}

}  // namespace

// Where there are too many, those go that hold back only calls of their own tick, if it is over.
bool PathOrder::push(Request** latest, size_t* count, Request* request) {
  if (*count == kChanges) {
    Request** const end = latest + kChanges;
    Request** const left =
        std::find_if(latest, end, [this](const Request* old) { return old->call <= tick_ && !lasts(old); });
    if (left == end) return false;
    std::copy(left + 1, end, left);
    --*count;
  }
  latest[(*count)++] = request;
  return true;
}

void PathOrder::add(Request* request) {
  request->call = ++calls_;
  request->before_tick = tick_;
  if (request->operation == Operation::kFirstLook) {
    looks_.add(request);
  } else if (holds_back_all(request)) {
    if (push(changes_, &count_, request)) return;
    const PathPair paths = paths_of(request);
    more_changes_.add(request, paths.first, only_reads(request, true));
    more_changes_.add(request, paths.second, false);
  } else if (holds_back_changes(request)) {
    // Of too many the first ones have begun: the pool takes them in their order.
    if (push(queries_, &query_count_, request)) return;
    std::copy(queries_ + 1, queries_ + kChanges, queries_);
    queries_[kChanges - 1] = request;
  }
}

void PathOrder::add_change(Request* request) {
  request->call = ++calls_;
  open_changes_.add(request);
}

void PathOrder::remove(const Request* request) {
  open_changes_.remove(request->call);
  looks_.remove(request->call);
  count_ = static_cast<size_t>(std::remove(changes_, changes_ + count_, request) - changes_);
  if (!more_changes_.empty() && holds_back_all(request)) {
    const PathPair paths = paths_of(request);
    more_changes_.remove(request, paths.first, only_reads(request, true));
    more_changes_.remove(request, paths.second, false);
  }
  query_count_ = static_cast<size_t>(std::remove(queries_, queries_ + query_count_, request) - queries_);
}

bool PathOrder::holds_back(const Request* earlier, const Request* later) const {
  if (earlier->call >= later->call) return false;
  return (earlier->call > later->before_tick || lasts(earlier)) && is_related(earlier, later);
}

Request* PathOrder::find_among_more(const Request* request) const {
  const PathPair paths = paths_of(request);
  const auto holds = [=](const Request* earlier) { return holds_back(earlier, request); };
  Request* const first = more_changes_.find(request->call, paths.first, only_reads(request, true), holds);
  Request* const second = more_changes_.find(request->call, paths.second, only_reads(request, false), holds);
  if (first == nullptr || second == nullptr) return first != nullptr ? first : second;
  return first->call > second->call ? first : second;
}

Request* PathOrder::find_earlier(const Request* request) const {
  const auto latest = [=](Request* const* among, size_t count) -> Request* {
    for (size_t i = count; i-- > 0;) {
      if (holds_back(among[i], request)) return among[i];
    }
    return nullptr;
  };
  Request* earlier = latest(changes_, count_);
  if (!more_changes_.empty()) {
    Request* const other = find_among_more(request);
    if (other != nullptr && (earlier == nullptr || other->call > earlier->call)) earlier = other;
  }
  const auto any = [](const Request*) { return true; };
  if (earlier == nullptr) earlier = open_changes_.latest(request->call, request->before_tick, any);
  if (earlier != nullptr || !changes_something(request)) return earlier;
  if (Request* const look = looks_.latest(request->call, 0, any)) return look;
  return latest(queries_, query_count_);
}

}  // namespace ioengine
