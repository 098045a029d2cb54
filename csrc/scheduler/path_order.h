// Calls on one path run in the order of the calls: `mkdir(a)` and then `writeFile(a/b)`, neither awaited. In
// node they mostly do, because libuv's threads start them a moment apart; two threads of ours may start them
// at once. So a call waits for an unsettled change of its path, or of a folder above it, that was asked for
// earlier: for one that is a system call or a few, whenever that was; for a file that is written or opened,
// in the same tick. Paths are compared as they are written: links and `..` are not followed. What takes long
// (rm and cp of trees, a synced write) holds nobody back: a program may want to watch it.
// A call also waits for a buffered write of the same tick, whatever file that is to: log rotation appends
// to a file and asks for the next one at once. Only of local files, where no dead server can hold it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/request.h"

namespace ioengine {

class PathOrder {
 public:
  // A new tick: what may take long and was asked for before holds back none that come now.
  void start_turn() {
    write_ = nullptr;
    if (count_ > 0) keep_short_ones();
  }

  // Numbers a request, and remembers it if it is a change that others may have to wait for.
  void add(Request* request);
  // A buffered write of a local file.
  void add_write(Request* request);
  bool has_write() const { return write_ != nullptr; }
  void remove(const Request* request);

  // The latest request that this one has to wait for, null if there is none.
  Request* find_earlier(const Request* request) const;

 private:
  void keep_short_ones();

  static constexpr size_t kChanges = 16;  // the latest ones: each call is compared with all of them
  Request* changes_[kChanges] = {};
  size_t count_ = 0;
  Request* write_ = nullptr;  // the latest one of this tick that has not settled
  uint64_t calls_ = 0;
};

}  // namespace ioengine
