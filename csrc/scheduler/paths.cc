// Paths and attributes: looked up on the calling thread where the kernel's caches have it all
// and the budget of the turn allows, in a later turn where it does not, in the pool where someone may have to
// be waited for.

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "jobs/read_file.h"
#include "jobs/result_codes.h"
#include "jobs/resumable_job.h"
#include "jobs/stat_path.h"
#include "jobs/write_file.h"
#include "memory/aligned_block.h"
#include "scheduler/context.h"

namespace ioengine {
int32_t IoContext::stat(const char* path, bool follow, uint32_t flags, struct statx* status) {
  bool learn = false;
  // Those that wait for budget go first, so that none waits for ever.
  const bool settled = paths_are_settled();
  const bool now = (flags & kFlagCallback) == 0 && paths_.empty() && settled && inline_lane_.has_budget(0);
  if (now) {
    inline_lane_.charge();
    const int32_t result = inline_paths_.stat(path, follow, status, &learn);
    if (result != kNeedsPool) {
      ++statistics_.lanes[static_cast<size_t>(Lane::kInline)].operations;
      return result;
    }
  }
  auto job = std::make_unique<StatJob>(path);
  job->follow = follow;
  job->learn = learn;
  return accept_path(Operation::kStat, std::move(job), flags, now || !settled);
}

int32_t IoContext::access(const char* path, int32_t mode, uint32_t flags) {
  bool learn = false;
  const bool here = mode == F_OK && paths_are_settled();  // see may_be_answered_here()
  const bool now = (flags & kFlagCallback) == 0 && paths_.empty() && here && inline_lane_.has_budget(0);
  if (now) {
    inline_lane_.charge();
    const int32_t result = inline_paths_.exists(path, &learn);
    if (result != kNeedsPool) {
      ++statistics_.lanes[static_cast<size_t>(Lane::kInline)].operations;
      return result;
    }
  }
  auto job = std::make_unique<AccessJob>(path);
  job->mode = mode;
  job->learn = learn;
  return accept_path(Operation::kAccess, std::move(job), flags, now || !here);
}

int32_t IoContext::accept_path(Operation operation, std::unique_ptr<PathJob> job, uint32_t flags,
                               bool to_pool) {
  Request* request = new_request(operation, nullptr, flags);
  request->job = job.release();
  ++unsettled_;
  if (to_pool) {
    path_order_.add(request);
    start_path(request);
  } else {
    paths_.push(request);
    if ((flags & kFlagCallback) != 0) run_paths();
  }
  return accepted_in(request->slot);
}

// All of a small file, into `memory` or, without any, into memory of the file's own: bytes, -errno of the
// open, kNeedsPool, where the pool goes on with the file if it is open, or kNoBudget.
int32_t IoContext::read_whole_here(const char* path, WholeFile* file, char* memory, bool* learn) {
  inline_lane_.charge();
  const int32_t opened = inline_paths_.open_whole(path, file, learn);
  if (opened < 0) return opened;
  // The close of a file without a name frees its blocks, which may take long (H29).
  const uint64_t size = file->facts.size;
  if (!file->has_name || size > limits::whole_file_bytes) return kNeedsPool;
  if (!inline_lane_.has_budget(size)) {
    // Files that wait are not to use up the process's descriptors.
    if (!inline_lane_.closes_at_once(file->fd, file->facts, size, file->facts.changed_ns)) return kNeedsPool;
    inline_lane_.close_whole(file, inline_paths_.opened_ns());
    return kNoBudget;
  }
  if (size > 0) {
    if (memory == nullptr && !file->reserve()) return kNeedsPool;
    if (!inline_lane_.read_whole(*file, memory != nullptr ? memory : file->content.get())) {
      inline_lane_.fuse()->check(file->facts.mount, inline_paths_.opened_ns(), size);
      file->drop_content();
      return kNeedsPool;
    }
  }
  inline_lane_.close_whole(file, inline_paths_.opened_ns());
  file->bytes = static_cast<uint32_t>(size);
  return static_cast<int32_t>(size);
}

int32_t IoContext::read_file(const char* path, uint32_t flags, char* memory) {
  // Most calls are answered at once and need no job: only the file, which the next one uses again.
  if (spare_file_ == nullptr) spare_file_ = std::make_unique<WholeFile>();
  bool learn = false;
  int32_t result = kNoBudget;
  const bool settled = paths_are_settled();
  if ((flags & kFlagCallback) == 0 && paths_.empty() && settled && inline_lane_.has_budget(0)) {
    result = read_whole_here(path, spare_file_.get(), memory, &learn);
    if (result != kNeedsPool && result != kNoBudget) {
      LaneCounters& lane = statistics_.lanes[static_cast<size_t>(Lane::kInline)];
      ++lane.operations;
      if (result > 0) lane.bytes += static_cast<uint64_t>(result);
      return result;
    }
  }
  auto job = std::make_unique<ReadFileJob>(path, std::move(spare_file_));
  return accept_path(Operation::kReadFile, std::move(job), flags, result == kNeedsPool || !settled);
}

// What changes the disk, or reads it in any case: one pool job. Memory of our own that a file is written from
// is held.
int32_t IoContext::run_in_pool(Operation operation, std::unique_ptr<PathJob> job, uint32_t flags) {
  Request* request = new_request(operation, nullptr, flags);
  request->job = job.release();
  if (operation == Operation::kWriteFile)
    request->block = AlignedBlock::hold_if_ours(static_cast<WriteFileJob*>(request->job)->data);
  if (operation == Operation::kCopyTree || operation == Operation::kRemoveTree)
    static_cast<ResumableJob*>(request->job)->ending = &ending_jobs_;
  ++unsettled_;
  if (changes_file(operation)) ++unsettled_writes_;
  if (changes_paths(operation)) count_path_change();
  path_order_.add(request);
  start_path(request);
  return accepted_in(request->slot);
}

void IoContext::count_path_change() {
  ++unsettled_path_changes_;
  start_earlier_look_ups();
}

// Look-ups that wait for budget and were called before a change: they go ahead of it.
void IoContext::start_earlier_look_ups() {
  while (Request* look_up = paths_.pop()) {
    path_order_.add(look_up);
    to_threads(look_up);
  }
}

// To the pool, or behind an earlier call on the same path.
void IoContext::start_path(Request* request) {
  Request* earlier = path_order_.find_earlier(request);
  if (earlier != nullptr) return wait_behind(earlier, request);
  if (request->operation == Operation::kHostCall) return start_host_call(request);
  // It waited for a change that is over: the caches may have it now, ahead of what the program does next.
  if (releasing_ && may_be_answered_here(request) && paths_are_settled()) return paths_.push(request);
  to_threads(request);
}

void IoContext::wait_behind(Request* earlier, Request* request) {
  Request** last = &earlier->behind;
  while (*last != nullptr) last = &(*last)->next;
  *last = request;
}

// Flat, not by recursion: while the engine ends each of a long chain settles the next.
void IoContext::start_behind(Request* settled) {
  path_order_.remove(settled);
  while (Request* request = settled->behind) {
    settled->behind = request->next;
    released_.push(request);
  }
  if (releasing_) return;
  releasing_ = true;
  while (Request* request = released_.pop()) {
    if (stopping_) {
      cancel(request);
    } else {
      start_path(request);
    }
  }
  releasing_ = false;
}

// Permissions: an access control list that is not in memory is read from the disk.
bool IoContext::may_be_answered_here(const Request* request) {
  switch (request->operation) {
    case Operation::kStat:
    case Operation::kReadFile:
      return true;
    case Operation::kAccess:
      return static_cast<const AccessJob*>(request->job)->mode == F_OK;
    default:
      return false;
  }
}

int32_t IoContext::answer_here(Operation operation, PathJob* job) {
  const char* path = job->path.c_str();
  bool learn = false;
  if (operation == Operation::kReadFile)
    return read_whole_here(path, static_cast<ReadFileJob*>(job)->file.get(), nullptr, &learn);
  inline_lane_.charge();
  if (operation == Operation::kAccess)
    return inline_paths_.exists(path, &static_cast<AccessJob*>(job)->learn);
  auto* look_up = static_cast<StatJob*>(job);
  return inline_paths_.stat(path, look_up->follow, &look_up->status, &look_up->learn);
}

void IoContext::run_paths() {
  while (!paths_.empty() && inline_lane_.has_budget(0)) {
    Request* request = paths_.pop();
    const int32_t result = answer_here(request->operation, request->job);
    if (result == kNoBudget) {
      paths_.push_front(request);
      return;
    }
    if (result == kNeedsPool) {
      to_threads(request);
    } else {
      request->lane = Lane::kInline;
      settle(request, result);
    }
  }
}

// What the pool found out about the mount.
void IoContext::learn_from(const Request* request) {
  switch (request->operation) {
    case Operation::kStat:
    case Operation::kAccess: {
      const auto& job = *static_cast<const LookUpJob*>(request->job);
      if (job.learned) inline_paths_.learn(job.mount, job.filesystem);
      return;
    }
    case Operation::kReadFile: {
      const WholeFile& file = *static_cast<const ReadFileJob*>(request->job)->file;
      inline_paths_.learn(file.facts);
      inline_lane_.fuse()->opened_elsewhere(file.facts.mount, file.open_ns);
      if (file.has_content()) inline_lane_.closed_elsewhere(file.facts);
      return;
    }
    case Operation::kWriteFile:
      inline_paths_.learn(static_cast<const WriteFileJob*>(request->job)->facts);
      return;
    default:
      return;
  }
}

// Where the attributes of an open file are in memory: not on overlayfs, which goes to the filesystem below
// it.
bool IoContext::stats_at_once(const Descriptor* descriptor) {
  const FilesystemTraits& filesystem = descriptor->facts.filesystem;
  return (filesystem.nowait_reads || filesystem.memory_backed) && inline_lane_.has_budget(0) &&
         !inline_lane_.fuse()->bars(descriptor->facts.mount);
}

int32_t IoContext::stat_here(Descriptor* descriptor, struct statx* status) {
  inline_lane_.charge();
  const uint64_t before = monotonic_ns();
  const int32_t result =
      statx(descriptor->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, kStatxMask, status) == 0 ? 0 : -errno;
  inline_lane_.fuse()->check(descriptor->facts.mount, before);
  return result;
}

int32_t IoContext::stat_descriptor(int fd, uint32_t flags, struct statx* status) {
  Descriptor* descriptor = usable(fd, flags);
  if (descriptor == nullptr || descriptor->foreign()) return kUnsupported;
  if (descriptor->closing) return -EBADF;
  const bool behind_change = descriptor->follows_change(turn_, -1, 0);
  const bool free = !behind_change && descriptor->waiting.empty() && !descriptor->exclusive_running;
  if ((flags & kFlagCallback) == 0 && descriptor->known() && free && stats_at_once(descriptor)) {
    ++statistics_.lanes[static_cast<size_t>(Lane::kInline)].operations;
    return stat_here(descriptor, status);
  }
  Request* request = new_request(Operation::kStatx, descriptor, flags);
  request->job = new StatJob("");
  if (behind_change) request->gate = Gate::kExclusive;
  return accept(request);
}

void IoContext::route_stat(Request* request) {
  if (stats_at_once(request->descriptor)) {
    request->lane = Lane::kInline;
    return settle(request, stat_here(request->descriptor, &static_cast<StatJob*>(request->job)->status));
  }
  if (!backend_->capabilities().serves(request->operation)) return to_threads(request);
  request->flags |= kFlagMayWait;
  to_backend(request);
}

PathJob* IoContext::job_of(uint32_t slot) {
  const Request* request = slots_.taken_at(slot);
  return request != nullptr && request->finished ? request->job : nullptr;
}

}  // namespace ioengine
