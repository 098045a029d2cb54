// Paths and attributes: the first look-ups of a turn on the calling thread where the kernel's caches have it
// all, the rest in the pool, and whatever may have to wait for someone.

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "base/check.h"
#include "base/clock.h"
#include "base/eintr.h"
#include "base/limits.h"
#include "base/statx.h"
#include "jobs/mount_list.h"
#include "jobs/read_file.h"
#include "jobs/result_codes.h"
#include "jobs/resumable_job.h"
#include "jobs/stat_path.h"
#include "jobs/write_file.h"
#include "memory/aligned_block.h"
#include "scheduler/context.h"

namespace ioengine {
namespace {

// Look-ups change nothing and come in numbers: they are handed to the pool together.
bool is_look_up(Operation operation) {
  return operation == Operation::kStat || operation == Operation::kAccess ||
         operation == Operation::kReadFile || operation == Operation::kReadLink ||
         operation == Operation::kReadDirectory;
}

}  // namespace

// The first look-ups of a turn, while the pool has nothing to do: to wake a thread up takes longer than they
// do. Any more are for the other processors. On this thread they need twice the system calls, which keep it
// from waiting.
bool IoContext::looks_up_here(const char* path) {
  if (looked_up_ >= limits::look_ups_here || threads_->local_in_flight() > 0) return false;
  if (!paths_are_settled() || !inline_lane_.has_budget(0)) return false;
  if (mounts_.wants_reading()) read_mounts();
  // On a remote mount nothing is called from this thread, not even what the kernel's caches have.
  if (!mounts_.known() || mounts_.queue_of(path) != 0) return false;
  ++looked_up_;
  return true;
}

// What was found is on a block device (KnownMounts); where something is missing may be anywhere.
void IoContext::count_inline(const char* path, int32_t result) {
  count_inline(result >= 0 ? FilesystemKind::kLocal : mounts_.kind_of(path), result);
}

int32_t IoContext::stat(const char* path, bool follow, uint32_t flags, struct statx* status) {
  bool learn = false;
  if ((flags & kFlagCallback) == 0 && looks_up_here(path)) {
    inline_lane_.charge();
    const int32_t result = inline_paths_.stat(path, follow, status, &learn);
    if (result != kNeedsPool) {
      count_inline(path, result);
      return result;
    }
  }
  auto job = std::make_unique<StatJob>(path);
  job->follow = follow;
  job->learn = learn;
  return accept_look_up(Operation::kStat, std::move(job), flags);
}

int32_t IoContext::access(const char* path, int32_t mode, uint32_t flags) {
  bool learn = false;
  // With a mode see may_be_answered_here().
  if ((flags & kFlagCallback) == 0 && mode == F_OK && looks_up_here(path)) {
    inline_lane_.charge();
    const int32_t result = inline_paths_.exists(path, &learn);
    if (result != kNeedsPool) {
      count_inline(path, result);
      return result;
    }
  }
  auto job = std::make_unique<AccessJob>(path);
  job->mode = mode;
  job->learn = learn;
  return accept_look_up(Operation::kAccess, std::move(job), flags);
}

int32_t IoContext::accept_look_up(Operation operation, std::unique_ptr<PathJob> job, uint32_t flags) {
  Request* request = new_request(operation, nullptr, flags);
  request->job = job.release();
  count(request);
  // A callback is a request in any case.
  const bool here = (flags & kFlagCallback) != 0 && may_be_answered_here(request) &&
                    looks_up_here(request->job->path.c_str());
  if (here && settle_here(request)) return accepted_in(request->slot);
  path_order_.add(request);
  start_path(request);
  return accepted_in(request->slot);
}

// All of a small file, into `memory` or, without any, into memory of the file's own: bytes, -errno of the
// open, or kNeedsPool, where the pool goes on with the file if it is open.
int32_t IoContext::read_whole_here(const char* path, WholeFile* file, char* memory, bool* learn) {
  inline_lane_.charge();
  const int32_t opened = inline_paths_.open_whole(path, file, learn);
  if (opened < 0) return opened;
  // The close of a file without a name frees its blocks, which may take long (H29).
  const uint64_t size = file->facts.size;
  if (!file->has_name || size > limits::whole_file_bytes) return kNeedsPool;
  if (!inline_lane_.has_budget(size)) return kNeedsPool;
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
  if ((flags & kFlagCallback) == 0 && looks_up_here(path)) {
    const int32_t result = read_whole_here(path, spare_file_.get(), memory, &learn);
    if (result != kNeedsPool) {
      count_inline(path, result);
      return result;
    }
  }
  auto job = std::make_unique<ReadFileJob>(path, std::move(spare_file_));
  job->learn = learn;
  return accept_look_up(Operation::kReadFile, std::move(job), flags);
}

// What changes the disk, or reads it in any case: one pool job. Memory of our own that a file is written from
// is held.
int32_t IoContext::run_in_pool(Operation operation, std::unique_ptr<PathJob> job, uint32_t flags) {
  Request* request = new_request(operation, nullptr, flags);
  request->job = job.release();
  if (operation == Operation::kWriteFile)
    request->block = AlignedBlock::hold_if_ours(static_cast<WriteFileJob*>(request->job)->data);
  if (is_resumable(operation)) static_cast<ResumableJob*>(request->job)->ending = &ending_jobs_;
  count(request);
  if (operation == Operation::kCopyFile) paths_change_elsewhere();  // may take long: for calls of this turn
  path_order_.add(request);
  start_path(request);
  return accepted_in(request->slot);
}

// To the pool, or behind an earlier call on the same path.
void IoContext::start_path(Request* request) {
  Request* earlier = path_order_.find_earlier(request);
  if (earlier != nullptr) return wait_behind(earlier, request);
  // It waited for a change that is over: the caches may have it now, ahead of what the program does next.
  const bool here = releasing_ && may_be_answered_here(request) && paths_are_settled() && mounts_.known() &&
                    request->mount_queue == 0;
  if (here && inline_lane_.has_budget(0) && settle_here(request)) return;
  to_pool(request);
}

// The end of the process does not wait for what a server may never answer, and calls on local paths do not
// mind it.
void IoContext::count(Request* request) {
  if (mounts_.known()) request->mount_queue = mount_queue_of(request);
  request->awaited = request->mount_queue == 0;
  ++unsettled_;
  if (!request->awaited) return;
  if (changes_file(request->operation)) ++unsettled_writes_;
  if (may_change_paths(request)) ++unsettled_path_changes_;
}

void IoContext::uncount(const Request* request) {
  --unsettled_;
  if (!request->awaited) return;
  if (changes_file(request->operation)) --unsettled_writes_;
  if (may_change_paths(request)) --unsettled_path_changes_;
}

// Of a call on a path, or two.
uint16_t IoContext::mount_queue_of(const Request* request) {
  if (request->operation == Operation::kOpen) return mounts_.queue_of(request->open->path);
  const PathPair paths = request->job->paths();
  const uint16_t queue = mounts_.queue_of(paths.first);
  return queue != 0 || paths.second.empty() ? queue : mounts_.queue_of(paths.second);
}

// Each to the queue of its mount. Look-ups together with those that come next.
void IoContext::to_pool(Request* request) {
  if (mounts_.wants_reading()) read_mounts();
  if (!mounts_.known()) return unplaced_.push(request);
  // It was counted while less was known.
  if (request->mount_queue != mount_queue_of(request)) {
    uncount(request);
    count(request);
  }
  if (request->operation == Operation::kOpen)
    request->open->remote_device = mounts_.device_of(request->mount_queue);
  if (request->operation == Operation::kWriteFile)
    static_cast<WriteFileJob*>(request->job)->remote = request->mount_queue != 0;
  if (request->mount_queue != 0 || !is_look_up(request->operation)) return to_threads(request);
  request->lane = Lane::kThreads;
  request->batchable = request->operation != Operation::kReadDirectory;  // a large one takes long
  threads_->submit_later(request);
}

void IoContext::read_mounts() {
  Request* request = new_request(Operation::kReadMounts, nullptr, kFlagInternal);
  request->job = new MountListJob(mounts_.fd());
  to_threads(request);
}

void IoContext::learn_mounts(Request* request, int32_t result) {
  auto* job = static_cast<MountListJob*>(request->job);
  if (result < 0) {
    mounts_.fail();
  } else {
    mounts_.learn(std::move(job->list));
  }
  slots_.give_back(request);
  await_no_remote_ones();
  while (Request* waiting = unplaced_.pop()) stopping_ ? cancel(waiting) : to_pool(waiting);
}

// Those that wait behind another were counted while nothing was known, and are not placed yet.
void IoContext::await_no_remote_ones() {
  slots_.for_each_taken([this](Request* request) {
    const bool on_path = request->job != nullptr || request->operation == Operation::kOpen;
    if (!request->awaited || request->finished || request->descriptor != nullptr || !on_path) return;
    if (mount_queue_of(request) == 0) return;
    uncount(request);
    request->awaited = false;
    ++unsettled_;
  });
}

void IoContext::wait_behind(Request* earlier, Request* request) {
  (earlier->behind != nullptr ? earlier->last_behind->next : earlier->behind) = request;
  earlier->last_behind = request;
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
  if (operation == Operation::kReadFile)
    return read_whole_here(path, static_cast<ReadFileJob*>(job)->file.get(), nullptr,
                           &static_cast<ReadFileJob*>(job)->learn);
  inline_lane_.charge();
  if (operation == Operation::kAccess)
    return inline_paths_.exists(path, &static_cast<AccessJob*>(job)->learn);
  auto* look_up = static_cast<StatJob*>(job);
  return inline_paths_.stat(path, look_up->follow, &look_up->status, &look_up->learn);
}

// False: someone may have to be waited for.
bool IoContext::settle_here(Request* request) {
  const int32_t result = answer_here(request->operation, request->job);
  if (result == kNeedsPool) return false;
  request->lane = Lane::kInline;
  settle(request, result);
  return true;
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
  const int32_t result = without_eintr(
      [=] { return statx_at(descriptor->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, kStatxMask, status); });
  inline_lane_.fuse()->check(descriptor->facts.mount, before);
  return stat_result(result);
}

int32_t IoContext::stat_descriptor(int fd, uint32_t flags, struct statx* status) {
  Descriptor* descriptor = usable(fd, flags);
  if (descriptor == nullptr || descriptor->foreign()) return kUnsupported;
  if (descriptor->closing) return -EBADF;
  const bool behind_change = descriptor->follows_change(turn_, -1, 0);
  const bool free = !behind_change && descriptor->waiting.empty() && !descriptor->exclusive_running;
  if ((flags & kFlagCallback) == 0 && descriptor->known() && free && stats_at_once(descriptor)) {
    count_inline(descriptor->facts.filesystem_kind(), 0);
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
