// Starting requests: from the gate to the lane that serves them (operations.def has the table).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "backend/deferred_backend.h"
#include "backend/threads/execute.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/statx.h"
#include "scheduler/bounce.h"
#include "scheduler/context.h"
#include "scheduler/staging.h"

namespace ioengine {

// Starts what the gate admits, in order. While the engine ends everything passes, to be cancelled by route().
void IoContext::pump(Descriptor* descriptor) {
  if (descriptor->pumping || (!descriptor->known() && !stopping_)) return;
  descriptor->pumping = true;
  ++descriptor->pending;  // settling inside start() must not free it under our feet
  while (Request* request = descriptor->waiting.front()) {
    if (descriptor->foreign()) {
      descriptor->waiting.pop();
      if (request->operation == Operation::kClose && !descriptor->detached) forget(descriptor->fd);
      descriptor->enter(request);
      settle(request, kUnsupported);
      continue;
    }
    // Accepted before the file was known: now its gate can be.
    if (moves_bytes(request->operation)) {
      const int64_t position =
          request->has(kFlagCurrentPosition) ? -1 : static_cast<int64_t>(request->offset);
      request->gate =
          std::max(request->gate, gate_of(request->operation, descriptor, request->remaining(), position));
    }
    if (!descriptor->admits(request)) break;
    descriptor->waiting.pop();
    start(request);
  }
  descriptor->pumping = false;
  --descriptor->pending;
  descriptors_.release(descriptor);
}

void IoContext::start(Request* request) {
  Descriptor* descriptor = request->descriptor;
  descriptor->enter(request);
  if (request->operation == Operation::kClose) {
    // From here the kernel may give the number to another file, on any thread.
    if (!descriptor->detached && !request->has(kFlagKeepNumber)) forget(descriptor->fd);
  } else if (moves_bytes(request->operation)) {
    if (request->operation == Operation::kWrite && descriptor->facts.append) request->flags |= kFlagAppend;
    if (descriptor->facts.direct && !descriptor->remote() && !start_direct(request)) return;
  }
  route(request);
}

// O_DIRECT requests need an explicit offset: a ring never moves the position of such a file and AIO has no
// current position at all (H27). False when the request has been settled with an error.
bool IoContext::start_direct(Request* request) {
  request->flags |= kFlagDirect;
  request->alignment = request->descriptor->facts.offset_alignment;
  if (request->has(kFlagCurrentPosition) && !request->has(kFlagAppend)) {
    const off_t position = lseek(request->fd, 0, SEEK_CUR);
    if (position < 0) {
      settle(request, -errno);
      return false;
    }
    request->offset = static_cast<uint64_t>(position);
    request->flags = (request->flags & ~kFlagCurrentPosition) | kFlagSeek;
  }
  if (request->operation == Operation::kWrite && (request->has(kFlagAppend) || !has_aligned_range(request))) {
    IOE_CHECK(request->gate == Gate::kExclusive);
    request->flags |= kFlagClearDirect;
  }
  return true;
}

void IoContext::route(Request* request) {
  if (stopping_) return cancel(request);
  const Descriptor* descriptor = request->descriptor;
  if (descriptor->remote()) return route_remote(request);
  if (request->has(kFlagDirect) && moves_bytes(request->operation)) {
    if (request->has(kFlagClearDirect)) return to_threads(request);
    if (!with_staging(request)) return;
    if (!is_aligned(request, descriptor->facts.memory_alignment)) {
      const int status = attach_bounce(request);
      if (status < 0) return settle(request, status);
    }
    return fits_kernel_lane(request) ? to_backend(request) : direct_to_threads(request);
  }
  switch (request->operation) {
    case Operation::kRead:
      return route_read(request);
    case Operation::kWrite:
      if (!backend_->capabilities().buffered_writes || !descriptor->facts.filesystem.uring_writes) {
        return to_threads(request);
      }
      request->flags |= kFlagMayWait;
      return to_backend(request);
    case Operation::kClose:
      return route_close(request);
    case Operation::kStatx:
      return route_stat(request);
    default:
      if (!backend_->capabilities().serves(request->operation)) return to_threads(request);
      request->flags |= kFlagMayWait;
      return to_backend(request);
  }
}

// As node would do it, with the same plain system call, but in the queue of its mount. Reads do not wait for
// staging memory, which a server that is gone might hold for ever: beyond the limit they go without.
void IoContext::route_remote(Request* request) {
  const uint64_t bytes = request->remaining();
  if (request->operation == Operation::kRead && needs_staging(request) &&
      staged_remote_bytes_ + bytes <= limits::staged_remote_bytes_max && stage(request)) {
    staged_remote_bytes_ += bytes;
    request->staging->remote = true;
  }
  request->flags |= kFlagMayWait;
  request->mount_queue = mounts_.queue_of_device(request->descriptor->facts.device);
  to_threads(request);
}

void IoContext::route_read(Request* request) {
  if (!request->has(kFlagMayWait) && request->remaining() <= limits::inline_read_bytes) {
    const int64_t position = request->has(kFlagCurrentPosition) ? -1 : static_cast<int64_t>(request->offset);
    if (inline_lane_.is_cached(request->descriptor, position, request->remaining())) {
      cached_.push(request);
      return;
    }
  }
  request->flags |= kFlagMayWait;
  if (!with_staging(request)) return;
  if (backend_->capabilities().buffered_reads && !request->descriptor->facts.filesystem.memory_backed) {
    to_backend(request);
  } else {
    to_threads(request);
  }
}

// False when the request waits for staging memory.
bool IoContext::with_staging(Request* request) {
  if (!needs_staging(request)) return true;
  // In order: a small one that still fits must not overtake a larger one for ever.
  const bool others_first = !unstaged_.empty() && !unstaging_;
  if (others_first || staging_is_full(request->remaining())) {
    unstaged_.push(request);
    return false;
  }
  const uint64_t bytes = request->remaining();
  if (stage(request)) staged_bytes_ += bytes;
  return true;
}

// Staging memory is given back on delivery. A thread that blocks until reads have settled delivers nothing:
// it goes over the limit, one read at a time, rather than wait for ever.
bool IoContext::staging_is_full(uint64_t bytes) const {
  if (staged_bytes_ == 0 || staged_bytes_ + bytes <= limits::staged_bytes_max) return false;
  return !blocking_ || in_flight() > 0;
}

void IoContext::start_unstaged() {
  while (Request* request = unstaged_.front()) {
    if (staging_is_full(request->remaining())) return;
    unstaging_ = true;
    route(unstaged_.pop());
    unstaging_ = false;
  }
}

// close(2) of a file that was written flushes on some filesystems, and of one without a link frees its blocks
// (328 ms for 2 GiB): only a read-only local file that still has a name and no dirty pages is closed on the
// spot (H29, H33).
bool IoContext::closes_at_once(const Descriptor* descriptor) {
  const FileFacts& facts = descriptor->facts;
  if (facts.kind != FileKind::kRegular || facts.writable || !inline_lane_.has_budget(0)) return false;
  constexpr unsigned kMask = STATX_NLINK | STATX_SIZE | STATX_CTIME;
  struct statx status;
  return statx_at(descriptor->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, kMask, &status) == 0 &&
         status.stx_nlink > 0 &&
         inline_lane_.closes_at_once(descriptor->fd, facts, status.stx_size, in_ns(status.stx_ctime));
}

void IoContext::route_close(Request* request) {
  if (!closes_at_once(request->descriptor)) return to_threads(request);
  request->lane = Lane::kInline;
  inline_lane_.charge();
  const bool keeps_number = request->has(kFlagKeepNumber);
  settle(request, inline_lane_.close(request->fd, request->descriptor->facts, keeps_number));
}

// Whether the kernel backend takes this direct request without blocking the submitting call (H16). A ring
// moves what would block to its own workers, AIO has none. A write may wait for the journal, to update the
// file's times: ext4 does so under RWF_NOWAIT as well, and nothing tells of it but the clock.
bool IoContext::fits_kernel_lane(Request* request) {
  const bool blocks = request->remaining() > limits::direct_submit_bytes ||
                      (request->operation == Operation::kWrite &&
                       (extends_file(request) || write_fuse_.bars_now(request->descriptor->facts.mount)));
  if (!blocks) return true;
  if (!backend_->capabilities().buffered_writes) return false;
  request->flags |= kFlagMayWait;
  return true;
}

bool IoContext::extends_file(const Request* request) const {
  FileFacts& facts = request->descriptor->facts;
  if (facts.kind != FileKind::kRegular) return false;
  const uint64_t end = request->offset + request->remaining();
  if (end <= facts.size) return false;
  struct statx status;
  if (statx_at(request->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &status) == 0)
    facts.size = status.stx_size;
  return end > facts.size;
}

void IoContext::to_threads(Request* request) {
  request->lane = Lane::kThreads;
  threads_->submit(&request, 1);
}

void IoContext::to_backend(Request* request) {
  if (static_cast<IoBackend*>(threads_) == backend_.get()) return to_threads(request);
  if (backend_->given_up()) {
    ++statistics_.fallbacks;
    return to_threads(request);
  }
  if (backend_->is_deferred() && !make_backend_for(request)) return to_threads(request);
  request->lane = backend_->type() == BackendType::kUring ? Lane::kUring : Lane::kAio;
  request->nowait =
      request->lane == Lane::kAio && request->has(kFlagDirect) && !request->descriptor->waits_only;
  ready_.push(request);
  if (request->has(kFlagDirect)) ++mergeable_;
  // The first request of an idle engine goes at once: accepted I/O makes progress while JavaScript is busy
  // (H28). So does a full batch.
  if (backend_->in_flight() == 0 || ready_.size() >= backend_->capabilities().depth) submit_ready();
}

// Nothing is made before it is needed. False: there is none, now or for good.
bool IoContext::make_backend() {
  if (!backend_->is_deferred()) return true;
  std::unique_ptr<IoBackend> made = static_cast<DeferredBackend*>(backend_.get())->make();
  if (made == nullptr) return false;
  backend_ = std::move(made);
  return true;
}

// Where another kind of backend than expected has come of it, this request was not routed for that.
bool IoContext::make_backend_for(const Request* request) {
  // The pool syncs a file as well, and an AIO context costs 40 ms at the end of the process.
  if (backend_->type() == BackendType::kAio && !moves_bytes(request->operation)) return false;
  if (make_backend() && backend_->capabilities().serves(request->operation)) return true;
  ++statistics_.fallbacks;
  return false;
}

void IoContext::submit_ready() {
  const size_t depth = backend_->capabilities().depth;
  while (!ready_.empty() && backend_->in_flight() < depth) {
    if (mergeable_ > 1) merge_ready();
    mergeable_ = 0;
    Request* batch[limits::depth];
    size_t count = 0;
    const size_t room = std::min<size_t>(depth - backend_->in_flight(), limits::depth);
    while (count < room && !ready_.empty()) {
      Request* request = ready_.pop();
      if (!has_tags(request)) continue;
      request->round = round_;
      batch[count++] = request;
    }
    if (count == 0) return;
    if (backend_->given_up()) {
      for (size_t i = 0; i < count; ++i) to_threads(batch[i]);
      statistics_.fallbacks += count;
      continue;
    }
    const size_t taken = submit_timed(batch, count);
    for (size_t i = count; i > taken; --i) ready_.push_front(batch[i - 1]);
    if (taken < count) return;
  }
}

// Cached reads are served inside the submit: they are inline calls as well. Direct requests are to be handed
// over without a sleep.
size_t IoContext::submit_timed(Request* const* batch, size_t count) {
  uint64_t cached_bytes = 0;
  bool direct = false;
  for (size_t i = 0; i < count; ++i) {
    if (batch[i]->has(kFlagExpectCached)) cached_bytes += batch[i]->remaining() + 1;
    direct = direct || batch[i]->has(kFlagDirect);
  }
  if (cached_bytes == 0 && !direct) return backend_->submit(batch, count);
  const uint64_t before = monotonic_ns();
  const long switches = direct ? InlineFuse::voluntary_switches() : 0;
  const size_t taken = backend_->submit(batch, count);
  if (cached_bytes > 0 && inline_lane_.fuse()->slept_since(before, cached_bytes)) bar_mounts(batch, count);
  if (direct) {
    const bool slept = InlineFuse::has_slept(before, switches);
    if (slept) bar_direct_writes(batch, count);
    device_queues_.for_each([=](DeviceQueue* queue) { queue->submitted(before, slept); });
  }
  return taken;
}

// For any of the batch: the kernel does not say which one.
void IoContext::bar_mounts(Request* const* batch, size_t count) {
  InlineFuse* fuse = inline_lane_.fuse();
  uint64_t last = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!batch[i]->has(kFlagExpectCached) || batch[i]->descriptor->facts.mount == last) continue;
    last = batch[i]->descriptor->facts.mount;
    if (!fuse->bars(last)) fuse->bar(last);
  }
}

void IoContext::bar_direct_writes(Request* const* batch, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (!batch[i]->has(kFlagDirect) || batch[i]->operation != Operation::kWrite) continue;
    const uint64_t mount = batch[i]->descriptor->facts.mount;
    if (!write_fuse_.bars_now(mount)) write_fuse_.bar(mount);
  }
}

// Cached reads: enough of them go to the kernel in one system call, few are cheaper one by one.
void IoContext::run_cached() {
  if (cached_.empty()) return;
  batching_ = cached_.size() >= limits::batch_threshold && backend_->capabilities().serves_at_submit &&
              !backend_->given_up() && batches_pay() && make_backend();
  if (batching_) batch_cached();
  while (!cached_.empty() && inline_lane_.has_budget(cached_.front()->remaining())) {
    Request* request = cached_.pop();
    const int64_t position = request->has(kFlagCurrentPosition) ? -1 : static_cast<int64_t>(request->offset);
    request->lane = Lane::kInline;
    complete(request, inline_lane_.read(request->descriptor, request->vectors, request->vector_count,
                                        position, request->remaining()));
  }
}

// A ring is made at once. An AIO context costs 40 ms at the end of the process, so not for a few reads.
bool IoContext::batches_pay() {
  if (!backend_->is_deferred() || backend_->type() != BackendType::kAio) return true;
  return ++batches_missed_ > limits::batches_before_context;
}

// AIO is told not to wait, which tmpfs does not understand, and has no file position: such reads stay.
void IoContext::batch_cached() {
  const bool ring = backend_->type() == BackendType::kUring;
  RequestQueue others;
  while (Request* request = cached_.pop()) {
    if (!ring &&
        (request->has(kFlagCurrentPosition) || !request->descriptor->facts.filesystem.nowait_reads)) {
      others.push(request);
      continue;
    }
    request->lane = ring ? Lane::kUring : Lane::kAio;
    request->nowait = !ring;
    request->flags |= kFlagExpectCached;
    ready_.push(request);
  }
  cached_.append(&others);
}

}  // namespace ioengine
