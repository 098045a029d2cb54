// Accepting operations: from a call of the binding to a request behind its descriptor's gate.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/statx.h"
#include "jobs/descriptor_syscalls.h"
#include "jobs/open_file.h"
#include "memory/aligned_block.h"
#include "scheduler/bounce.h"
#include "scheduler/context.h"

namespace ioengine {
namespace {

// Several vectors: an array that the request owns. Never with more memory than is wanted: after a short
// attempt the kernel would fill all of it.
void set_vectors(Request* request, const iovec* vectors, uint32_t count) {
  request->vectors = request->owned_vectors = new iovec[count];
  request->blocks = new AlignedBlock*[count];
  request->vector_count = request->block_count = count;
  request->holds_all_memory = true;
  uint64_t left = request->wanted;
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t length = std::min<uint64_t>(vectors[i].iov_len, left);
    left -= length;
    request->vectors[i] = {vectors[i].iov_base, length};
    request->blocks[i] = AlignedBlock::hold_if_ours(vectors[i].iov_base);
    if (request->blocks[i] == nullptr) request->holds_all_memory = false;
  }
}

// What is moved, and where. Buffers of our own are held: they are finalized before any cleanup hook runs,
// even while they are referenced (H8).
inline void set_transfer(Request* request, const iovec* vectors, uint32_t count, uint64_t wanted,
                         int64_t position) {
  request->offset = position < 0 ? 0 : static_cast<uint64_t>(position);
  request->wanted = wanted;
  if (count != 1) return set_vectors(request, vectors, count);
  request->single = {vectors[0].iov_base, std::min<uint64_t>(vectors[0].iov_len, wanted)};
  request->vectors = &request->single;
  request->vector_count = 1;
  request->block = AlignedBlock::hold_if_ours(request->single.iov_base);
  request->holds_all_memory = request->block != nullptr;
}

int32_t accepted(const Request* request) { return kAcceptedBase - static_cast<int32_t>(request->slot); }

}  // namespace

bool IoContext::may_change_paths(const Request* request) {
  if (request->operation != Operation::kOpen) return changes_paths(request->operation);
  return (request->open->flags & (O_CREAT | O_TRUNC)) != 0;
}

Request* IoContext::new_request(Operation operation, Descriptor* descriptor, uint32_t flags) {
  Request* request = slots_.take();
  request->operation = operation;
  request->descriptor = descriptor;
  request->fd = descriptor != nullptr ? descriptor->fd : -1;
  request->flags = flags;
  request->lane = Lane::kThreads;
  request->gate = Gate::kShared;
  request->result = 0;
  request->call = 0;
  request->check_phase = check_phase_;
  request->mount_queue = 0;
  request->awaited = false;
  request->alignment = 1;
  request->tags = 0;
  request->offset = 0;
  request->wanted = 0;
  request->done = 0;
  request->vectors = nullptr;
  request->vector_count = 0;
  request->holds_all_memory = false;
  request->nowait = false;
  request->finished = false;
  request->told = false;
  request->batchable = false;
  request->accepted_ns = coarse_monotonic_ns();
  return request;
}

// A plain number may have been closed and given to another file behind our back; a FileHandle's cannot.
// Looked up once per turn, from memory: AT_STATX_DONT_SYNC never goes to a server.
bool IoContext::still_same_file(Descriptor* descriptor) {
  if (descriptor->checked_turn == turn_) return true;
  if (descriptor->keeps_number) return true;  // nobody else can have got it, and every call fails
  // Not asked on this thread; and a pool job makes the same system call on whatever has the number now.
  if (descriptor->remote()) return true;
  struct statx status;
  if (statx_at(descriptor->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &status) != 0) return false;
  if (device_of(status) != descriptor->facts.device || status.stx_ino != descriptor->facts.inode)
    return false;
  descriptor->checked_turn = turn_;
  return true;
}

// A number that the table does not have, or that may have got another file since.
Descriptor* IoContext::identify(int fd) {
  Descriptor* descriptor = descriptors_.find(fd);
  if (descriptor != nullptr) {
    if (still_same_file(descriptor)) return descriptor;
    forget(fd);
  }
  // The table is as large as the largest number in it: only numbers that are open get in.
  return fcntl(fd, F_GETFD) == -1 ? nullptr : descriptors_.find_or_add(fd);
}

void IoContext::forget(int fd) {
  Descriptor* descriptor = descriptors_.find(fd);
  if (descriptor != nullptr) descriptors_.detach(descriptor);
}

bool IoContext::stamp(int fd, FileStamp* stamp) const {
  const Descriptor* descriptor = descriptors_.find(fd);
  const bool ours =
      descriptor != nullptr && descriptor->known() && !descriptor->foreign() && !descriptor->remote();
  return ours && take_stamp(fd, stamp);
}

int64_t IoContext::file_position(int fd) const {
  const Descriptor* descriptor = descriptors_.find(fd);
  return descriptor != nullptr && descriptor->remote() ? -1 : lseek(fd, 0, SEEK_CUR);
}

// The second lseek(2) adds, so a read on another thread that comes in between is not undone by it: that shows
// in the result, and the bytes are left to others again.
bool IoContext::claim_position(int fd, int64_t from, int64_t to) const {
  const Descriptor* descriptor = descriptors_.find(fd);
  const bool busy = descriptor == nullptr || descriptor->remote() || descriptor->serial_running ||
                    descriptor->exclusive_running || !descriptor->waiting.empty();
  if (busy || lseek(fd, 0, SEEK_CUR) != from) return false;
  if (lseek(fd, to - from, SEEK_CUR) == to) return true;
  lseek(fd, from - to, SEEK_CUR);
  return false;
}

void IoContext::adopt(int fd, const FileFacts& facts) {
  forget(fd);  // whatever had this number before is closed
  Descriptor* descriptor = descriptors_.find_or_add(fd);
  descriptor->facts = facts;
  descriptor->knowledge = Knowledge::kKnown;
  descriptor->checked_turn = turn_;
  inline_paths_.learn(facts);
}

// The first operation on a number that the engine knows nothing of goes to the pool, where finding out may
// wait, and is run there; everything after it waits behind the gate.
void IoContext::start_unknown(Request* request) {
  Descriptor* descriptor = request->descriptor;
  descriptor->knowledge = Knowledge::kAsking;
  request->gate = Gate::kExclusive;
  request->open = new OpenJob();
  // By this the pool tells those that hang on one server from others: no list says yet what is remote.
  if (!mounts_.known()) request->open->path = path_of_number(request->fd);
  descriptor->enter(request);
  // Local ones at once, whether the list of mounts is there or not: they are to make progress while
  // JavaScript is busy (H28).
  if (mounts_.wants_reading()) read_mounts();
  to_threads(request);
}

// What changes an open file may change what is found under a path. A sync changes nothing.
void IoContext::keep_in_order(Request* request) {
  const Operation operation = request->operation;
  const Descriptor* descriptor = request->descriptor;
  const bool changes = operation == Operation::kWrite || operation == Operation::kFtruncate ||
                       operation == Operation::kSetAttributes;
  if (!changes) return;
  request->descriptor->change = request;
  request->descriptor->change_turn = turn_;
  // A number that is not known yet turns out to be a foreign one as soon as a thread has looked at it.
  const FileFacts& facts = descriptor->facts;
  if (request->mount_queue != 0) {
    paths_change_elsewhere();
  } else if (!descriptor->known() || (facts.kind == FileKind::kRegular && !facts.direct)) {
    path_order_.add_change(request);
  } else {
    paths_change_elsewhere();
  }
}

// What is done to an open file, in the queue of its mount.
void IoContext::place(Request* request) {
  Descriptor* descriptor = request->descriptor;
  if (descriptor->remote()) {
    request->mount_queue = mounts_.queue_of_device(descriptor->facts.device);
  } else if (!descriptor->known()) {
    if (descriptor->knowledge == Knowledge::kUnknown)
      descriptor->mount_queue = mounts_.queue_of_number(descriptor->fd);
    request->mount_queue = descriptor->mount_queue;
  }
  request->awaited = request->mount_queue == 0;
  ++unsettled_;
  if (request->awaited && changes_file(request->operation)) ++unsettled_writes_;
}

void IoContext::count_inline(FilesystemKind kind, int32_t result) {
  const uint64_t bytes = result > 0 ? static_cast<uint64_t>(result) : 0;
  statistics_.lanes[static_cast<size_t>(Lane::kInline)].add(bytes);
  statistics_.kinds[static_cast<size_t>(kind)].add(bytes);
}

int32_t IoContext::accept(Request* request) {
  Descriptor* descriptor = request->descriptor;
  ++descriptor->pending;
  place(request);
  keep_in_order(request);
  if (descriptor->known() && descriptor->waiting.empty() && descriptor->admits(request)) {
    start(request);
  } else if (descriptor->knowledge == Knowledge::kUnknown) {
    start_unknown(request);
  } else {
    descriptor->waiting.push(request);
  }
  return accepted(request);
}

// The file is not known yet for the first operation on a plain number: pump() fixes the gate when it is.
Gate IoContext::gate_of(Operation operation, const Descriptor* descriptor, uint64_t wanted,
                        int64_t position) const {
  if (!moves_bytes(operation) || !descriptor->known()) return position < 0 ? Gate::kSerial : Gate::kShared;
  const FileFacts& facts = descriptor->facts;
  const bool append = operation == Operation::kWrite && facts.append;
  if (facts.direct && !descriptor->remote() && operation == Operation::kWrite) {
    const bool aligned = position >= 0 && static_cast<uint64_t>(position) % facts.offset_alignment == 0 &&
                         wanted % facts.offset_alignment == 0;
    if (append || !aligned) return Gate::kExclusive;
  }
  return position < 0 || append ? Gate::kSerial : Gate::kShared;
}

bool IoContext::try_inline(Descriptor* descriptor, const iovec* vectors, uint32_t count, uint64_t wanted,
                           int64_t position, uint32_t flags, int32_t* result, uint64_t* done) {
  if ((flags & kFlagCallback) != 0 || batching_ || wanted > limits::inline_read_bytes) return false;
  if (descriptor->facts.direct || descriptor->remote()) return false;
  if (!descriptor->waiting.empty() || descriptor->exclusive_running) return false;
  if (descriptor->follows_change(turn_, position, wanted)) return false;
  if (position < 0 && descriptor->serial_running) return false;
  if (!inline_lane_.has_budget(wanted)) return false;
  if (!inline_lane_.is_cached(descriptor, position, wanted)) return false;
  const int32_t status = inline_lane_.read(descriptor, vectors, count, position, wanted);
  if (status == -EAGAIN) {
    ++statistics_.fallbacks;
    return false;
  }
  if (status >= 0 && static_cast<uint64_t>(status) < wanted &&
      !InlineLane::ends_at(descriptor, position < 0 ? -1 : position + status)) {
    // Not every page was there after all: the rest is read where waiting is allowed (H17).
    ++statistics_.fallbacks;
    *done = static_cast<uint64_t>(status);
    return false;
  }
  count_inline(descriptor->facts.filesystem_kind(), status);
  *result = status;
  return true;
}

// Most reads at depth: known to be cached, in a turn that serves such reads in one system call. Nothing holds
// it back, so it goes straight to the batch.
bool IoContext::joins_batch(Descriptor* descriptor, uint64_t wanted, int64_t position) {
  if (!batching_ || position < 0 || wanted > limits::inline_read_bytes) return false;
  if (descriptor->facts.direct || descriptor->remote() || descriptor->exclusive_running ||
      !descriptor->waiting.empty())
    return false;
  if (descriptor->follows_change(turn_, position, wanted)) return false;
  return inline_lane_.is_cached(descriptor, position, wanted);
}

int32_t IoContext::transfer(Operation operation, int fd, const iovec* vectors, uint32_t count,
                            uint64_t wanted, int64_t position, uint32_t flags) {
  Descriptor* descriptor = usable(fd, flags);
  if (descriptor == nullptr || descriptor->foreign()) return kUnsupported;
  if (descriptor->closing) return -EBADF;
  wanted = std::min(wanted, limits::transfer_bytes);
  uint64_t done = 0;
  if (operation == Operation::kRead && descriptor->known()) {
    if (joins_batch(descriptor, wanted, position)) {
      Request* request = new_request(operation, descriptor, flags);
      set_transfer(request, vectors, count, wanted, position);
      ++descriptor->pending;
      place(request);
      descriptor->enter(request);
      cached_.push(request);
      return accepted(request);
    }
    int32_t result;
    if (try_inline(descriptor, vectors, count, wanted, position, flags, &result, &done)) return result;
  }
  Request* request = new_request(operation, descriptor, flags | (position < 0 ? kFlagCurrentPosition : 0u));
  request->gate = gate_of(operation, descriptor, wanted, position);
  if (descriptor->follows_change(turn_, position, wanted)) request->gate = Gate::kExclusive;
  set_transfer(request, vectors, count, wanted, position);
  if (done > 0) {
    advance(request, done);
    request->flags |= kFlagMayWait;
  }
  return accept(request);
}

int32_t IoContext::control(Operation operation, int fd, uint64_t length, uint32_t flags) {
  Descriptor* descriptor = usable(fd, flags);
  if (descriptor == nullptr || descriptor->foreign()) return kUnsupported;
  if (descriptor->closing) return -EBADF;
  Request* request = new_request(operation, descriptor, flags);
  request->offset = length;
  // A read behind it finds the new length.
  if (operation == Operation::kFtruncate) request->gate = Gate::kExclusive;
  return accept(request);
}

int32_t IoContext::set_attributes(int fd, std::unique_ptr<DescriptorJob> job, uint32_t flags) {
  Descriptor* descriptor = usable(fd, flags);
  if (descriptor == nullptr || descriptor->foreign()) return kUnsupported;
  if (descriptor->closing) return -EBADF;
  Request* request = new_request(Operation::kSetAttributes, descriptor, flags);
  job->fd = fd;
  request->job = job.release();
  request->gate = Gate::kExclusive;  // a look at the attributes behind it finds the new ones
  return accept(request);
}

int32_t IoContext::open(OpenJob* job, uint32_t flags) {
  if ((flags & kFlagCallback) == 0 && job->number < 0 && InlinePaths::is_plain(*job) &&
      looks_up_here(job->path.c_str())) {
    const int32_t result = inline_paths_.open(*job, &job->facts);
    if (result != kNeedsPool) {
      if (result >= 0) adopt(result, job->facts);
      inline_lane_.charge();
      count_inline(job->facts.filesystem_kind(), 0);
      delete job;
      return result;
    }
  }
  Request* request = new_request(Operation::kOpen, nullptr, flags);
  request->open = job;
  count(request);  // O_CREAT and O_TRUNC change the disk
  path_order_.add(request);
  start_path(request);
  return accepted(request);
}

int32_t IoContext::answer_later(int32_t result, uint32_t flags) {
  Request* request = new_request(Operation::kStat, nullptr, flags);
  request->lane = Lane::kInline;
  request->result = result;
  finish(request);
  return accepted(request);
}

int32_t IoContext::answer_after_immediates(uint32_t flags) {
  Request* request = new_request(Operation::kStat, nullptr, flags);
  request->finished = true;
  held_back_.push(request);
  return accepted(request);
}

// Opened by someone else, and never used here. The pool looks what it is, and closes it if it is not node's
// to close. Out of the table at once: from then on the kernel may give the number to another file, unless it
// stays taken.
int32_t IoContext::close_unknown(int fd, uint32_t flags) {
  Descriptor* descriptor = identify(fd);
  if (descriptor == nullptr) return kUnsupported;
  Request* request = new_request(Operation::kClose, descriptor, flags);
  const int32_t answer = accept(request);
  if ((flags & kFlagKeepNumber) != 0) {
    descriptor->closing = descriptor->keeps_number = true;
  } else {
    descriptors_.detach(descriptor);
  }
  return answer;
}

int32_t IoContext::close(int fd, uint32_t flags) {
  Descriptor* descriptor = descriptors_.find(fd);
  if (descriptor == nullptr) return close_unknown(fd, flags);
  if (descriptor->closing) return -EBADF;
  if ((flags & kFlagTrusted) == 0 && descriptor->known() && !still_same_file(descriptor)) {
    forget(fd);
    return kUnsupported;
  }
  // What the engine has opened it closes, whatever it is: node would not know the number, and says so in a
  // Worker.
  if (descriptor->foreign() && (flags & kFlagTrusted) == 0) {
    forget(fd);
    return kUnsupported;
  }
  if ((flags & (kFlagCallback | kFlagKeepNumber)) == 0 && descriptor->known() && descriptor->pending == 0 &&
      closes_at_once(descriptor)) {
    const FileFacts facts = descriptor->facts;
    forget(fd);
    inline_lane_.charge();
    count_inline(facts.filesystem_kind(), 0);
    return inline_lane_.close(fd, facts, false);
  }
  Request* request = new_request(Operation::kClose, descriptor, flags);
  request->gate = Gate::kClose;
  const int32_t answer = accept(request);
  // Settled on the spot by the inline lane means the descriptor object is gone.
  if (descriptors_.find(fd) == descriptor) {
    descriptor->closing = true;
    descriptor->keeps_number = (flags & kFlagKeepNumber) != 0;
  }
  return answer;
}

}  // namespace ioengine
