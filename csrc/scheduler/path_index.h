// Changes of paths by path: of those that are too many to compare each call with all of them
// (scheduler/path_order.h). Paths have no slashes at their ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/request.h"

namespace ioengine {

// Calls in their order, which may leave it in any other.
class CallList {
 public:
  bool empty() const { return entries_.empty(); }
  void add(Request* request);
  // True: nothing is left.
  bool remove(uint64_t call);
  // When the latest was called; 0 where there is none.
  uint64_t last_call() const { return empty() ? 0 : entries_.back().call; }
  // The latest of those called before `call` and after `after` that `holds_back` accepts, or null.
  template <typename HoldsBack>
  Request* latest(uint64_t call, uint64_t after, HoldsBack holds_back) const {
    for (size_t i = first_from(call); i-- > 0 && entries_[i].call > after;) {
      Request* request = entries_[i].request;
      if (request != nullptr && holds_back(request)) return request;
    }
    return nullptr;
  }

 private:
  struct Entry {
    uint64_t call;
    Request* request;  // null: removed
  };

  size_t first_from(uint64_t call) const;
  std::vector<Entry> entries_;  // by call; the last one has not been removed
  size_t removed_ = 0;
};

class PathIndex {
 public:
  bool empty() const { return lists_.empty(); }

  // In the order of the calls. `only_read`: the call leaves this path of its own as it is.
  void add(Request* request, std::string_view path, bool only_read);
  // With what it was added with; one that was not is none's loss.
  void remove(const Request* request, std::string_view path, bool only_read);

  // The latest of those called before `call` that changes the path or a folder above it, or what is below it,
  // and that `holds_back` accepts; also of those that only read there, unless the call that asks only reads
  // as well. Null: none.
  template <typename HoldsBack>
  Request* find(uint64_t call, std::string_view path, bool only_read, HoldsBack holds_back) const {
    Request* latest = nullptr;
    const auto look = [&](uint64_t key) {
      const auto list = lists_.find(key);
      Request* found = list != lists_.end() ? list->second.latest(call, 0, holds_back) : nullptr;
      if (found != nullptr && (latest == nullptr || found->call > latest->call)) latest = found;
    };
    for_each_hash(path, [&](uint64_t hash, bool is_whole) {
      look(hash + key_of(true, false));
      if (!only_read) look(hash + key_of(true, true));
      if (!is_whole) return;
      look(hash + key_of(false, false));
      if (!only_read) look(hash + key_of(false, true));
    });
    return latest;
  }

 private:
  // Added to the hash of a path: whether the call is about the path itself or about something below it, and
  // what it does there.
  static constexpr uint64_t key_of(bool itself, bool only_read) {
    return (itself ? 0u : 1u) + (only_read ? 2u : 0u);
  }

  // Of the path and of each folder above it. Equal hashes of two paths do no harm: `holds_back` looks at the
  // paths.
  template <typename Visit>
  static void for_each_hash(std::string_view path, Visit visit) {
    constexpr uint64_t kPrime = 0x100000001b3;
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < path.size(); ++i) {
      if (path[i] == '/' && i > 0) visit(hash << 2, false);
      hash = (hash ^ static_cast<unsigned char>(path[i])) * kPrime;
      if (i == 0 && path[0] == '/' && path.size() > 1) visit(hash << 2, false);
    }
    if (!path.empty()) visit(hash << 2, true);
  }

  std::unordered_map<uint64_t, CallList> lists_;
};

}  // namespace ioengine
