// Completions: retries, results, and what a finished request sets free.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "backend/threads/execute.h"
#include "base/check.h"
#include "base/statx.h"
#include "jobs/open_file.h"
#include "jobs/result_codes.h"
#include "jobs/resumable_job.h"
#include "scheduler/bounce.h"
#include "scheduler/context.h"

namespace ioengine {

void IoContext::complete(Request* request, int32_t result) {
  IOE_CHECK((request->generation & 1) == 1);
  if (request->tags != 0) release_tags(request);
  if (request->parts != nullptr) return complete_merged(request, result);
  if (request->operation == Operation::kReadMounts) return learn_mounts(request, result);
  if (unfinished_job(request) != nullptr) return resume(request);
  if (request->open != nullptr && request->operation != Operation::kOpen && learn_file(request, result))
    return;
  const uint64_t attempt_end = request->bounce != nullptr ? request->offset + request->bounce->vector.iov_len
                                                          : request->offset + request->remaining();
  if (request->bounce != nullptr) result = detach_bounce(request, result);
  if (result == -EIO && read_up_to_size(request, attempt_end)) return;
  if (request->has(kFlagExpectCached)) {
    request->flags &= ~kFlagExpectCached;
    if (request->round != round_) InlineLane::distrust(request->descriptor);
  }
  if (!retry(request, &result)) settle(request, result);
}

// A long job that the pool does not go on with (H30): the process or the thread is about to end, and does not
// wait for a large tree; or there is no thread, and the slice was run on this one.
void IoContext::resume(Request* request) {
  if (ending_jobs_.load(std::memory_order_relaxed)) return cancel_job(request);
  to_threads(request);
}

void IoContext::cancel_job(Request* request) {
  if (unfinished_job(request)->is_in_file()) execute_request(request);
  settle(request, -ECANCELED);
}

// XFS fails a direct read with EIO where a buffered writer has left delayed blocks behind the end of the
// file. A read that crossed the size is done again up to the size, in the pool; what fails again has really
// failed. False when there is nothing to do again.
bool IoContext::read_up_to_size(Request* request, uint64_t attempt_end) {
  const bool direct = request->operation == Operation::kRead && request->has(kFlagDirect);
  if (!direct || stopping_ || request->descriptor->facts.kind != FileKind::kRegular) return false;
  struct statx status;
  if (statx_at(request->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &status) != 0) return false;
  const uint64_t size = status.stx_size;
  const uint64_t rounded = (size + request->alignment - 1) / request->alignment * request->alignment;
  if (request->offset >= size || attempt_end <= rounded) return false;
  const int error = attach_bounce(request, size - request->offset);
  if (error < 0) {
    settle(request, error);
  } else {
    ++statistics_.fallbacks;
    direct_to_threads(request);
  }
  return true;
}

// The one place that decides whether an attempt was enough (H15, H17, H18). True: the request is on its way
// again.
bool IoContext::retry(Request* request, int32_t* result) {
  if (*result == -EINTR) {
    // A call on a path has no other lane.
    if (request->descriptor != nullptr || stopping_) {
      route(request);
    } else {
      to_threads(request);
    }
    return true;
  }
  // EAGAIN and EOPNOTSUPP: the lane cannot without waiting. ECANCELED: it gave the request back unserved.
  // EINVAL: it may be RWF_NOWAIT that is not valid, where a duplicate of the descriptor has O_DIRECT switched
  // off; without it the pool finds the request's own result.
  const bool refused = *result == -EAGAIN || *result == -EOPNOTSUPP || *result == -ECANCELED ||
                       (*result == -EINVAL && request->nowait);
  if (refused && request->lane != Lane::kThreads && !stopping_) {
    ++statistics_.fallbacks;
    request->flags |= kFlagMayWait;
    if (*result == -EOPNOTSUPP && request->nowait) request->descriptor->waits_only = true;
    if (request->lane == Lane::kInline && *result == -EAGAIN) {
      route(request);
    } else if (request->has(kFlagDirect) && !request->has(kFlagClearDirect)) {
      reroute_to_threads(request);
    } else {
      to_threads(request);
    }
    return true;
  }
  if (!moves_bytes(request->operation)) return false;
  if (*result > 0) advance(request, static_cast<uint64_t>(*result));
  const bool ended = *result <= 0 || request->remaining() == 0;
  if (ended || is_end_of_file(request)) {
    // Bytes that were moved are reported before an error is, as read(2) and write(2) do.
    if (*result >= 0 || request->done > 0) *result = static_cast<int32_t>(request->done);
    return false;
  }
  request->flags |= kFlagMayWait;
  route(request);
  return true;
}

bool IoContext::is_end_of_file(const Request* request) const {
  // A device moves whole blocks, so a direct read that stops inside one has met the end of the file, and a
  // direct write a limit (RLIMIT_FSIZE, a full disk); another attempt from there would be EINVAL.
  const bool direct = request->has(kFlagDirect) && !request->has(kFlagClearDirect);
  if (direct && request->offset % request->alignment != 0) return true;
  if (request->operation != Operation::kRead) return false;
  if (request->descriptor->remote()) return true;  // what one read(2) brings, as with node
  const int64_t position = request->has(kFlagCurrentPosition) ? -1 : static_cast<int64_t>(request->offset);
  return InlineLane::ends_at(request->descriptor, position);
}

void IoContext::reroute_to_threads(Request* request) {
  if (!is_aligned(request, request->descriptor->facts.memory_alignment)) {
    const int status = attach_bounce(request);
    if (status < 0) return settle(request, status);
  }
  direct_to_threads(request);
}

void IoContext::settle(Request* request, int32_t result) {
  request->result = result;
  if (request->has(kFlagSeek) && result > 0)
    lseek(request->fd, static_cast<off_t>(request->offset), SEEK_SET);
  if (result != kUnsupported) {
    const bool whole =
        request->operation == Operation::kReadFile || request->operation == Operation::kWriteFile;
    const bool moved = moves_bytes(request->operation) || whole;
    const uint64_t bytes = moved && result > 0 ? static_cast<uint64_t>(result) : 0;
    statistics_.lanes[static_cast<size_t>(request->lane)].add(bytes);
    statistics_.kinds[static_cast<size_t>(kind_of(request))].add(bytes);
  }
  if (request->operation == Operation::kOpen && result >= 0) learn_opened(request, result);
  if (request->job != nullptr) {
    if (ResumableJob* job = request->job->unfinished()) job->cancel();
    learn_from(request);
  }
  uncount(request);
  if (changes_file(request->operation)) inline_lane_.files_changed();
  Descriptor* descriptor = request->descriptor;
  if (descriptor != nullptr) leave_descriptor(request, result);
  finish(request);
  // What waited for it may settle at once, and is to be delivered behind it.
  if (request->call != 0) start_behind(request);
  if (descriptor == nullptr) return;
  --descriptor->pending;
  if (!descriptor->waiting.empty()) {
    pump(descriptor);
  } else {
    descriptors_.release(descriptor);
  }
}

// What was accepted in this iteration of the loop, node could not have a result of before the next one
// polls, so behind the immediates. An error is never delivered sooner: a program that awaits the
// promise after an immediate, or adds its 'error' listener there, must not meet an unhandled one. What goes
// on to node:fs counts as an error: it usually becomes one there. And nothing overtakes what is held back.
void IoContext::finish(Request* request) {
  request->finished = true;
  if (request->check_phase != check_phase_) {
    finished_.push(request);
  } else if (request->result < 0 || !held_back_.empty()) {
    held_back_.push(request);
  } else {
    early_.push(request);
  }
}

// What the end of an operation means for its file.
void IoContext::leave_descriptor(const Request* request, int32_t result) {
  Descriptor* descriptor = request->descriptor;
  descriptor->leave(request);
  if (descriptor->change == request) descriptor->change = nullptr;
  switch (request->operation) {
    case Operation::kWrite:
      if (result < 0 || static_cast<uint64_t>(result) < request->wanted) descriptor->write_failed = true;
      break;
    case Operation::kClose:
      if (result == 0) inline_lane_.closed_elsewhere(descriptor->facts);
      break;
    case Operation::kRead:
      if (result > 0 && request->lane != Lane::kInline) descriptor->access_time_trial.read_was_served();
      break;
    default:
      break;
  }
}

// What an open found out.
void IoContext::learn_opened(const Request* request, int32_t result) {
  forget(result);  // whatever had this number before is closed
  adopt(result, request->open->facts);
  inline_lane_.fuse()->opened_elsewhere(request->open->facts.mount, request->open->took_ns);
}

// What the first operation on a plain number found out. True: it has not been run yet, and waits in front of
// the others.
bool IoContext::learn_file(Request* request, int32_t result) {
  Descriptor* descriptor = request->descriptor;
  descriptor->facts = request->open->facts;  // a closed number is foreign: node:fs raises the error
  descriptor->knowledge = Knowledge::kKnown;
  descriptor->checked_turn = turn_;
  delete request->open;
  request->open = nullptr;
  if (result != kNeedsRouting) return false;
  descriptor->leave(request);
  descriptor->waiting.push_front(request);
  pump(descriptor);
  return true;
}

}  // namespace ioengine
