#include "scheduler/inline_lane.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "base/eintr.h"
#include "base/limits.h"
#include "base/statx.h"
#include "jobs/reserved_number.h"

namespace ioengine {
namespace {

// cachestat(2), Linux 6.5: newer than Debian 12's headers. Numbers and layouts are kernel ABI.
constexpr long kCachestatNumber = 451;

struct CachestatRange {
  uint64_t offset;
  uint64_t bytes;
};

struct Cachestat {
  uint64_t cached;
  uint64_t dirty;
  uint64_t writeback;
  uint64_t evicted;
  uint64_t recently_evicted;
};

constexpr uint64_t kPage = 4096;

bool call_cachestat(int fd, uint64_t offset, uint64_t bytes, Cachestat* answer) {
  CachestatRange range = {offset, bytes};
  return syscall(kCachestatNumber, fd, &range, answer, 0) == 0;
}

bool all_cached(const Cachestat& answer, uint64_t offset, uint64_t bytes) {
  return answer.cached >= (offset + bytes + kPage - 1) / kPage - offset / kPage;
}

// preadv2(2) past glibc's wrapper: as a cancellation point that one costs 6 % of a cached read, and nothing
// here is ever cancelled. On 64-bit systems the whole offset is in the first of the two words.
ssize_t read_without_cancellation(int fd, const iovec* vectors, uint32_t count, int64_t offset, int flags) {
  return syscall(SYS_preadv2, fd, vectors, static_cast<unsigned long>(count), static_cast<long>(offset), 0L,
                 flags);
}

}  // namespace

InlineLane::InlineLane() {
  Cachestat answer;
  CachestatRange range = {0, kPage};
  // fd -1: EBADF from a kernel that has the call, ENOSYS (or EPERM from seccomp) from one that has not.
  const long status = syscall(kCachestatNumber, -1, &range, &answer, 0);
  cachestat_works_ = status == -1 && errno == EBADF;
}

void InlineLane::start_turn() {
  if (operations_ > 1) fuse_.end_turn();
  fuse_.forget_clock();
  operations_ = 0;
  bytes_ = 0;
  started_ns_ = 0;
  exhausted_ = false;
}

void InlineLane::start_clock() {
  started_ns_ = monotonic_ns();
  fuse_.start_turn(started_ns_);
}

bool InlineLane::has_budget(uint64_t bytes) {
  if (exhausted_) return false;
  if (operations_ == 0) start_clock();
  const bool clock_due = (operations_ & 15) == 15;
  if (clock_due) fuse_.end_turn();
  exhausted_ = operations_ >= limits::inline_operations ||
               (bytes_ + bytes > limits::inline_bytes && operations_ > 0) ||
               (clock_due && monotonic_ns() - started_ns_ > limits::inline_time_ns);
  return !exhausted_;
}

bool InlineLane::look_at_times(Descriptor* descriptor) {
  const FileFacts& facts = descriptor->facts;
  if (started_ns_ == 0) start_clock();
  if (descriptor->quiet_since_ns > fuse_.look_from(started_ns_ - limits::quiet_ns)) return true;
  if (fuse_.bars(facts.mount)) return false;
  if (!facts.filesystem.memory_backed && facts.filesystem.access_times != AccessTimes::kNever) {
    struct statx status;
    DueUpdate due;
    if (statx_at(descriptor->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, kAccessTimesMask, &status) != 0)
      return false;
    if (is_update_due(status, facts.filesystem.access_times, &due) &&
        !descriptor->access_time_trial.is_never_kept(due))
      return false;
  }
  descriptor->quiet_since_ns = started_ns_;
  return true;
}

bool InlineLane::look_up(Descriptor* descriptor, int64_t offset, uint64_t bytes) {
  const FileFacts& facts = descriptor->facts;
  if (!cachestat_works_ || facts.direct) return false;
  if (!facts.filesystem.nowait_reads && !facts.filesystem.memory_backed) return false;
  uint64_t position = static_cast<uint64_t>(offset);
  if (offset < 0) {
    const off_t current = lseek(descriptor->fd, 0, SEEK_CUR);
    if (current < 0) return false;
    position = static_cast<uint64_t>(current);
  }
  // Pages past the end are never cached: only what the file has is looked up.
  if (facts.kind == FileKind::kRegular && position + bytes > facts.size) {
    struct statx status;
    if (statx_at(descriptor->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &status) != 0)
      return false;
    descriptor->facts.size = status.stx_size;
    if (position >= status.stx_size) return true;  // end of file: there is nothing to wait for
    bytes = std::min<uint64_t>(bytes, status.stx_size - position);
  }
  if (bytes == 0) return true;
  Cachestat answer;
  if (call_cachestat(descriptor->fd, position, bytes, &answer) && all_cached(answer, position, bytes)) {
    descriptor->warm_streak =
        static_cast<uint16_t>(std::min<uint32_t>(descriptor->warm_streak * 2u + 1u, limits::warm_credit_max));
    descriptor->warm_credit = descriptor->warm_streak;
    return true;
  }
  distrust(descriptor);
  return false;
}

int32_t InlineLane::read(Descriptor* descriptor, const iovec* vectors, uint32_t count, int64_t offset,
                         uint64_t bytes) {
  const bool first = operations_ == 0;
  const uint64_t before = fuse_.before_read(first);
  ++operations_;
  bytes_ += bytes;
  const int flags = descriptor->facts.filesystem.nowait_reads ? RWF_NOWAIT : 0;
  const int32_t status =
      without_eintr([&] { return read_without_cancellation(descriptor->fd, vectors, count, offset, flags); });
  if (status >= 0) {
    if (first || before != 0) fuse_.check_read(descriptor->facts.mount, before, bytes);
    return status;
  }
  if (before != 0) fuse_.check_read(descriptor->facts.mount, before, bytes);
  distrust(descriptor);
  if (status != -EOPNOTSUPP) return status;
  descriptor->facts.filesystem.nowait_reads = false;  // remembered for this file (H17)
  return -EAGAIN;
}

bool InlineLane::read_whole(const WholeFile& file, char* memory) {
  const uint64_t size = file.facts.size;
  Cachestat answer;
  if (!cachestat_works_ || file.update_due || !file.facts.filesystem.nowait_reads) return false;
  if (!call_cachestat(file.fd, 0, size, &answer) || !all_cached(answer, 0, size)) return false;
  // It is closed afterwards, which may write dirty pages out.
  if (answer.dirty > 0 && !closed_files_.has(file.facts, file.facts.changed_ns)) return false;
  bytes_ += size;
  const iovec vector = {memory, size};
  return read_without_cancellation(file.fd, &vector, 1, 0, RWF_NOWAIT) == static_cast<ssize_t>(size);
}

bool InlineLane::closes_at_once(int fd, const FileFacts& facts, uint64_t size, int64_t changed_ns) {
  if (fuse_.bars(facts.mount)) return false;
  if (facts.filesystem.memory_backed) return true;
  if (!facts.filesystem.nowait_reads) return false;
  if (size == 0 || closed_files_.has(facts, changed_ns)) return true;
  Cachestat answer;
  return cachestat_works_ && size <= limits::inline_close_bytes && call_cachestat(fd, 0, size, &answer) &&
         answer.dirty == 0;
}

int InlineLane::close(int fd, const FileFacts& facts, bool keeps_number) {
  const uint64_t before = monotonic_ns();
  const int32_t status = keeps_number ? close_keeping_number(fd) : close_once(fd);
  fuse_.check(facts.mount, before);
  return status;
}

bool InlineLane::ends_at(const Descriptor* descriptor, int64_t offset) {
  if (descriptor->facts.kind != FileKind::kRegular) return false;
  struct statx status;
  if (statx_at(descriptor->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &status) != 0)
    return false;
  const int64_t end = offset >= 0 ? offset : static_cast<int64_t>(lseek(descriptor->fd, 0, SEEK_CUR));
  return end >= static_cast<int64_t>(status.stx_size);
}

}  // namespace ioengine
