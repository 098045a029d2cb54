#include "scheduler/path_index.h"

#include <algorithm>

namespace ioengine {

void PathIndex::add(Request* request, std::string_view path, bool only_read) {
  for_each_hash(
      path, [=](uint64_t hash, bool is_whole) { lists_[hash + key_of(is_whole, only_read)].add(request); });
}

void PathIndex::remove(const Request* request, std::string_view path, bool only_read) {
  for_each_hash(path, [=](uint64_t hash, bool is_whole) {
    const auto list = lists_.find(hash + key_of(is_whole, only_read));
    if (list != lists_.end() && list->second.remove(request->call)) lists_.erase(list);
  });
}

// A path with two slashes in a row has a folder twice.
void CallList::add(Request* request) {
  if (entries_.empty() || entries_.back().call != request->call) entries_.push_back({request->call, request});
}

bool CallList::remove(uint64_t call) {
  const size_t at = first_from(call);
  if (at == entries_.size() || entries_[at].call != call || entries_[at].request == nullptr) return false;
  entries_[at].request = nullptr;
  ++removed_;
  const auto is_removed = [](const Entry& entry) { return entry.request == nullptr; };
  while (!entries_.empty() && is_removed(entries_.back())) {
    entries_.pop_back();
    --removed_;
  }
  if (removed_ > entries_.size() / 2) {
    entries_.erase(std::remove_if(entries_.begin(), entries_.end(), is_removed), entries_.end());
    removed_ = 0;
  }
  return entries_.empty();
}

// The index of the first one that was called then or later.
size_t CallList::first_from(uint64_t call) const {
  const auto is_before = [](const Entry& entry, uint64_t wanted) { return entry.call < wanted; };
  return static_cast<size_t>(std::lower_bound(entries_.begin(), entries_.end(), call, is_before) -
                             entries_.begin());
}

}  // namespace ioengine
