// The inline lane: cached reads done at once on the calling thread, only where that is known not to wait for
// a device.
//
// RWF_NOWAIT alone is not enough: on a miss it starts read-ahead, and mapping blocks of a cold fragmented
// ext4 file inside that call took 200 to 400 ms. So a read is tried only after cachestat(2) (0.36 µs) has
// seen its pages, or on credit: every "yes" in a row doubles the number of reads that may skip the question,
// a miss takes all credit away.
#pragma once

#include <cstdint>

#include "backend/whole_file.h"
#include "scheduler/descriptor.h"

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
    // tmpfs ignores RWF_NOWAIT and may have swapped the page out: there every read asks.
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

  // A read that should have been cached was not: ask again before each of the next ones.
  static void distrust(Descriptor* descriptor) { descriptor->warm_credit = descriptor->warm_streak = 0; }

  // True when the file ends at or before `offset`. Local filesystems answer from memory.
  static bool ends_at(const Descriptor* descriptor, int64_t offset);

 private:
  bool look_up(Descriptor* descriptor, int64_t offset, uint64_t bytes);
  static bool ask_cachestat(int fd, uint64_t offset, uint64_t bytes);

  bool cachestat_works_ = true;
  bool exhausted_ = false;
  uint32_t operations_ = 0;
  uint64_t bytes_ = 0;
  uint64_t started_ns_ = 0;
};

}  // namespace ioengine
