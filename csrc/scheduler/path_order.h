// Calls on one path run in the order of the calls: `mkdir(a)` and then `writeFile(a/b)`, neither awaited. In
// node they mostly do, because libuv's threads start them a moment apart; two threads of ours may start them
// at once. So a call waits for an unsettled change of its path, or of a folder above it, that was called
// earlier: for one that is a system call or a few, whenever that was; for a file that is written or opened,
// in the same tick. And a change waits for queries (stat, readFile, readdir …) of the same tick. Paths are
// compared as they are written: links and `..` are not followed. What takes long (rm and cp of trees, a
// synced write) holds nobody back: a program may want to watch it. A call also waits for a buffered write or
// another change of an open file of the same tick, whatever file that is: log rotation appends to a file and
// looks for the next one at once. Only of local files, where no dead server can hold it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "backend/request.h"
#include "jobs/path_job.h"
#include "jobs/result_codes.h"
#include "scheduler/path_index.h"

namespace ioengine {

// The first look of a watcher, which node:fs takes and which cannot wait. Every change of a path behind it
// waits for it: what it finds is what the watcher compares with, and under what name that is changed is not
// known. No thread of the engine's runs it.
struct FirstLookJob final : PathJob {
  using PathJob::PathJob;
  int32_t run() override { return kUnsupported; }
};

class PathOrder {
 public:
  // A new tick: what may take long and was called before holds back none that come now.
  void start_turn() { tick_ = calls_; }

  // Numbers a request, and remembers it if others may have to wait for it: for a change all that concern the
  // same paths, for a query of this tick only changes.
  void add(Request* request);
  // A change of an open local file.
  void add_change(Request* request);
  bool has_change() const { return open_changes_.last_call() > tick_; }
  void remove(const Request* request);

  // The latest request that this one has to wait for, null if there is none. The same in a later tick, when
  // that one has settled: what else there is to wait for.
  Request* find_earlier(const Request* request) const;

 private:
  // False: there are too many.
  bool push(Request** latest, size_t* count, Request* request);
  Request* find_among_more(const Request* request) const;
  bool holds_back(const Request* earlier, const Request* later) const;

  static constexpr size_t kChanges = 16;  // each call is compared with all of them
  Request* changes_[kChanges] = {};
  size_t count_ = 0;
  PathIndex more_changes_;  // those beyond
  Request* queries_[kChanges] = {};
  size_t query_count_ = 0;
  CallList open_changes_;  // of open files
  CallList looks_;         // first looks of watchers
  uint64_t calls_ = 0;
  uint64_t tick_ = 0;  // the last call before this tick
};

}  // namespace ioengine
