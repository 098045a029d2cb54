// Completions: retries, results, and what a finished request sets free.

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "backend/path_job.h"
#include "backend/threads/execute.h"
#include "base/check.h"
#include "base/limits.h"
#include "scheduler/bounce.h"
#include "scheduler/context.h"
#include "scheduler/staging.h"

namespace ioengine {

IoContext::IoContext(std::unique_ptr<IoBackend> backend, int wake_fd)
    : backend_(std::move(backend)), wake_fd_(wake_fd) {
  if (backend_->type() == BackendType::kThreads) {
    threads_ = static_cast<ThreadsBackend*>(backend_.get());
  } else {
    own_threads_ = std::make_unique<ThreadsBackend>(limits::depth, wake_fd);
    threads_ = own_threads_.get();
  }
}

IoContext::~IoContext() {
  IOE_CHECK(in_flight() == 0);
  start_check_phase();
  finished_.append(&early_);
  while (Request* request = finished_.pop()) {
    // An open that nobody heard of: its descriptor has no owner.
    if (request->operation == Operation::kOpen && request->result >= 0) ::close(request->result);
    give_back(request);
  }
}

// What was accepted in this iteration of the loop, node could not have an answer of before the next one
// polls, so behind the immediates (H36). An error is never delivered sooner: a program that awaits the
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

bool IoContext::start_check_phase() {
  ++check_phase_;
  finished_.append(&early_);
  finished_.append(&held_back_);
  return has_finished();
}

size_t IoContext::active() const {
  return threads_->running() + (own_threads_ != nullptr ? backend_->in_flight() : 0);
}

size_t IoContext::in_flight() const {
  return backend_->in_flight() + (own_threads_ != nullptr ? own_threads_->in_flight() : 0);
}

void IoContext::start_turn() {
  ++turn_;
  inline_lane_.start_turn();
  path_order_.start_turn();
}

bool IoContext::has_local_work() const { return has_finished() || can_start_more(); }

bool IoContext::can_start_more() const {
  const bool room = backend_->in_flight() < backend_->capabilities().depth;
  const bool stageable = !unstaged_.empty() && !staging_is_full(unstaged_.front()->remaining());
  return !cached_.empty() || !paths_.empty() || stageable || (!ready_.empty() && room);
}

bool IoContext::round() {
  ++round_;
  run_cached();
  run_paths();
  start_unstaged();
  submit_ready();
  reap_from(backend_.get());
  if (own_threads_ != nullptr) reap_from(own_threads_.get());
  // What settling has started, and what found no room before the reaping.
  run_paths();
  submit_ready();
  return has_finished();
}

size_t IoContext::reap_from(IoBackend* backend) {
  size_t total = 0;
  Completion completions[128];
  while (backend->in_flight() > 0) {
    const size_t count = backend->reap(completions, 128);
    for (size_t i = 0; i < count; ++i) complete(completions[i].request, completions[i].result);
    total += count;
    if (count < 128) break;
  }
  return total;
}

void IoContext::give_back(Request* request) {
  if (request->operation == Operation::kHostCall) {
    // Delivered was that its turn has come.
    request->finished = false;
    if (is_host_call_under_way(request)) return;
  }
  if (request->staging != nullptr) staged_bytes_ -= request->staging->vector_bytes;
  slots_.give_back(request);
}

const Request* IoContext::peek_finished() const {
  if (!finished_.empty()) return finished_.front();
  return early_allowed_ ? early_.front() : nullptr;
}

Request* IoContext::take_finished() {
  if (!finished_.empty()) return finished_.pop();
  return early_allowed_ ? early_.pop() : nullptr;
}

void IoContext::complete(Request* request, int32_t result) {
  IOE_CHECK((request->generation & 1) == 1);
  if (request->tags != 0) release_tags(request);
  if (request->merged != nullptr) return complete_merged(request, result);
  if (request->path != nullptr && request->path->resumable != nullptr) return resume(request);
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
  if (request->path->resumable->is_in_file()) execute_request(request);
  settle(request, -ECANCELED);
}

// XFS fails a direct read with EIO where a buffered writer has left delayed blocks behind the end of the
// file. A read that crossed the size is done again up to the size, in the pool; what fails again has really
// failed. False when there is nothing to do again.
bool IoContext::read_up_to_size(Request* request, uint64_t attempt_end) {
  const bool direct = request->operation == Operation::kRead && request->has(kFlagDirect);
  if (!direct || stopping_ || request->descriptor->facts.kind != FileKind::kRegular) return false;
  struct statx status;
  if (statx(request->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &status) != 0) return false;
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
    route(request);
    return true;
  }
  // EAGAIN and EOPNOTSUPP: the lane cannot without waiting. ECANCELED: it gave the request back unserved.
  // EINVAL: it may be RWF_NOWAIT that is not valid, where a duplicate of the descriptor has O_DIRECT switched
  // off; without it the pool finds the request's own answer.
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
  // direct write a limit (RLIMIT_FSIZE, a full disk); asking again from there would be EINVAL.
  const bool direct = request->has(kFlagDirect) && !request->has(kFlagClearDirect);
  if (direct && request->offset % request->alignment != 0) return true;
  if (request->operation != Operation::kRead) return false;
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
  if (result != kNotTaken && request->operation != Operation::kHostCall) {
    LaneCounters& lane = statistics_.lanes[static_cast<size_t>(request->lane)];
    ++lane.operations;
    const bool whole =
        request->operation == Operation::kReadFile || request->operation == Operation::kWriteFile;
    const bool moved = moves_bytes(request->operation) || whole;
    if (moved && result > 0) lane.bytes += static_cast<uint64_t>(result);
  }
  if (request->operation == Operation::kOpen && result >= 0) learn_opened(request, result);
  if (request->path != nullptr) {
    request->path->resumable.reset();  // cancelled: what it has open is closed
    learn_from(*request->path);
  }
  if (may_change_paths(request)) --unsettled_path_changes_;
  if (request->call != 0) start_behind(request);
  --unsettled_;
  if (changes_file(request->operation)) {
    --unsettled_writes_;
    inline_lane_.files_changed();
  }
  Descriptor* descriptor = request->descriptor;
  if (descriptor != nullptr) leave_descriptor(request, result);
  finish(request);
  if (descriptor == nullptr) return;
  --descriptor->pending;
  if (!descriptor->waiting.empty()) {
    pump(descriptor);
  } else {
    descriptors_.release(descriptor);
  }
}

// What the end of an operation tells of its file.
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
  descriptor->facts = request->open->facts;  // a closed number is foreign: node:fs words the error
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

bool IoContext::arm_wake() {
  const bool backend = backend_->arm_wake();
  const bool threads = own_threads_ != nullptr && own_threads_->arm_wake();
  return backend || threads;
}

void IoContext::disarm_wake() {
  backend_->disarm_wake();
  if (own_threads_ != nullptr) own_threads_->disarm_wake();
}

template <typename Done>
void IoContext::wait_until(Done done, ThreadPool::Wanted awaited, const void* argument) {
  constexpr int kPollTimeout_ms = 100;  // a safety net: the bell is expected to ring
  blocking_ = true;
  end_host_calls();
  while (!done()) {
    inline_lane_.start_turn();
    round();
    if (done()) break;
    if (awaited != nullptr && run_queued(awaited, argument)) continue;
    if (can_start_more()) continue;
    if (arm_wake()) continue;
    pollfd bell = {wake_fd_, POLLIN, 0};
    poll(&bell, 1, kPollTimeout_ms);
    eventfd_t rung;
    eventfd_read(wake_fd_, &rung);
  }
  blocking_ = false;
}

// What this thread waits for and no thread of the pool has started is carried out here: the pool may be full
// of calls that wait for someone else, a server that is gone for one. One at a time, so that free threads
// help.
bool IoContext::run_queued(ThreadPool::Wanted awaited, const void* argument) {
  Request* request = threads_->take_queued(awaited, argument);
  if (request == nullptr) return false;
  complete(request, execute_request(request));
  return true;
}

void IoContext::settle_descriptor(int fd) {
  Descriptor* descriptor = descriptors_.find(fd);
  if (descriptor == nullptr || descriptor->pending == 0) return;
  ++descriptor->pending;  // keeps the object while we look at it
  wait_until([descriptor] { return descriptor->pending == 1; },
             [](const Request* request, const void* wanted) { return request->descriptor == wanted; },
             descriptor);
  --descriptor->pending;
  descriptors_.release(descriptor);
}

void IoContext::settle_writes() {
  ending_jobs_.store(true, std::memory_order_relaxed);
  wait_until([this] { return unsettled_writes_ == 0; },
             [](const Request* request, const void*) { return changes_file(request->operation); }, nullptr);
}

// Requests that no lane has started yet are given up; node cancels them too when an environment ends. A close
// is carried out all the same: nobody else will.
void IoContext::cancel(Request* request) {
  if (request->tags != 0) release_tags(request);
  if (request->merged != nullptr) return complete_merged(request, -ECANCELED);
  if (request->path != nullptr && request->path->resumable != nullptr) return cancel_job(request);
  if (request->bounce != nullptr) detach_bounce(request, -ECANCELED);
  settle(request, request->operation == Operation::kClose ? execute_request(request) : -ECANCELED);
}

void IoContext::cancel_queued() {
  while (Request* request = cached_.pop()) cancel(request);
  while (Request* request = paths_.pop()) cancel(request);
  while (Request* request = unstaged_.pop()) cancel(request);
  device_queues_.for_each([this](DeviceQueue* queue) {
    while (Request* request = queue->pop()) cancel(request);
  });
  while (Request* request = ready_.pop()) cancel(request);
  Request* queued = threads_->take_queued();
  while (queued != nullptr) {
    Request* request = queued;
    queued = request->next;
    request->next = nullptr;
    cancel(request);
  }
}

void IoContext::drain() {
  stopping_ = true;
  ending_jobs_.store(true, std::memory_order_relaxed);
  cancel_queued();
  wait_until([this] { return in_flight() == 0; }, nullptr, nullptr);
  descriptors_.for_each([this](Descriptor* descriptor) {
    ++descriptor->pending;
    while (Request* request = descriptor->waiting.pop()) {
      descriptor->enter(request);
      cancel(request);
    }
    --descriptor->pending;
  });
}

}  // namespace ioengine
