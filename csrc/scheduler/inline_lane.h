// The inline lane: cached reads done at once on the calling thread, only where that is known not to wait for
// a device.
//
// RWF_NOWAIT alone is not enough: on a miss it starts read-ahead, and mapping blocks of a cold fragmented
// ext4 file inside that call took 200 to 400 ms. So a read is tried only after cachestat(2) (0.36 µs) has
// seen its pages, or on credit: every "yes" in a row doubles the number of reads that may skip that look,
// a miss takes all credit away.
//
// What has nothing to do with the pages is guarded on its own: reads that update the access time
// (jobs/access_time.h), closes that write the file out, and by the fuse whatever else there may be.
#pragma once

#include <cstdint>

#include "base/limits.h"
#include "jobs/read_file.h"
#include "scheduler/closed_files.h"
#include "scheduler/descriptor.h"
#include "scheduler/inline_fuse.h"

namespace ioengine {

class InlineLane {
 public:
  InlineLane();

  // A new turn of the event loop: the budget is whole again.
  void start_turn();
  // May another read of this size run in this turn?
  bool has_budget(uint64_t bytes);
  // An operation other than a read was served inline.
  void charge(uint64_t bytes = 0) {
    ++operations_;
    bytes_ += bytes;
  }

  // True when a read of this range is known not to wait. Costs one cachestat(2) unless there is credit.
  // `offset` < 0 is the file position.
  bool is_cached(Descriptor* descriptor, int64_t offset, uint64_t bytes) {
    if (!is_quiet(descriptor)) return false;
    // tmpfs ignores RWF_NOWAIT and may have swapped the page out: there every read looks.
    if (descriptor->warm_credit == 0 || descriptor->facts.filesystem.memory_backed) {
      return look_up(descriptor, offset, bytes);
    }
    --descriptor->warm_credit;
    return true;
  }

  // One attempt. Returns bytes (also a short result: the caller finds out whether that is the end of the
  // file), or -EAGAIN when it would wait, or another -errno. Charges the budget.
  int32_t read(Descriptor* descriptor, const iovec* vectors, uint32_t count, int64_t offset, uint64_t bytes);

  // One attempt at all of a small file that was just opened: true when all of it was cached and is in
  // `memory`. Charges the bytes.
  bool read_whole(const WholeFile& file, char* memory);
  // Closes it, and ends what began at `before_ns` with its open.
  void close_whole(WholeFile* file, uint64_t before_ns) {
    file->close();
    fuse_.check(file->facts.mount, before_ns, file->facts.size);
  }

  // Whether close(2) of a descriptor that is read only, of a file of this size with a name, is known not to
  // wait: whoever closes first after the file was cut and written anew writes it out (ext4, btrfs, XFS: 85 ms
  // for 256 MiB), and overlayfs goes to the filesystem below it.
  // `changed_ns` is its ctime.
  bool closes_at_once(int fd, const FileFacts& facts, uint64_t size, int64_t changed_ns);
  // The pool has closed a file with these facts.
  void closed_elsewhere(const FileFacts& facts) { closed_files_.remember(facts); }
  // Closes it, as jobs/reserved_number.h says where it keeps the number. Charges nothing.
  int close(int fd, const FileFacts& facts, bool keeps_number);

  InlineFuse* fuse() { return &fuse_; }
  // This engine has changed a file: access times are to be looked at again.
  void files_changed() { fuse_.look_again(); }

  // A read that should have been cached was not: look again before each of the next ones.
  static void distrust(Descriptor* descriptor) { descriptor->warm_credit = descriptor->warm_streak = 0; }

  // True when the file ends at or before `offset`. Local filesystems answer from memory.
  static bool ends_at(const Descriptor* descriptor, int64_t offset);

 private:
  void start_clock();
  // Whether reading the descriptor is known to touch nothing but its pages, on a mount that is not barred.
  bool is_quiet(Descriptor* descriptor) {
    return descriptor->quiet_since_ns > fuse_.looked_after_ns() || look_at_times(descriptor);
  }
  bool look_at_times(Descriptor* descriptor);
  bool look_up(Descriptor* descriptor, int64_t offset, uint64_t bytes);

  bool cachestat_works_ = true;
  bool exhausted_ = false;
  uint32_t operations_ = 0;
  uint64_t bytes_ = 0;
  uint64_t started_ns_ = 0;  // when the first call of this turn came; 0 before
  InlineFuse fuse_;
  ClosedFiles closed_files_;
};

}  // namespace ioengine
