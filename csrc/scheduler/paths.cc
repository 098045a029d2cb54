// Questions about paths and attributes: answered on the calling thread where the kernel's caches have it all
// and the budget of the turn allows, in a later turn where it does not, in the pool where someone may have to
// be waited for.

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "backend/path_job.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "memory/aligned_block.h"
#include "scheduler/context.h"

namespace ioengine {
namespace {

// Not an errno of open(2): there is no budget for the bytes in this turn.
constexpr int32_t kLater = kNeedsRouting;

constexpr int32_t accepted(const Request* request) {
  return kAcceptedBase - static_cast<int32_t>(request->slot);
}

}  // namespace

int32_t IoContext::stat(const char* path, bool follow, uint32_t flags, struct statx* status) {
  bool learn = false;
  // Those that wait for budget go first, so that none waits for ever.
  const bool settled = paths_are_settled();
  const bool now = (flags & kFlagCallback) == 0 && paths_.empty() && settled && inline_lane_.has_budget(0);
  if (now) {
    inline_lane_.charge();
    const int32_t result = inline_paths_.stat(path, follow, status, &learn);
    if (result != kNotTaken) {
      ++statistics_.lanes[static_cast<size_t>(Lane::kInline)].operations;
      return result;
    }
  }
  auto job = std::make_unique<PathJob>();
  job->path = path;
  job->follow = follow;
  job->learn = learn;
  return accept_path(Operation::kStat, job.release(), flags, now || !settled);
}

int32_t IoContext::access(const char* path, int32_t mode, uint32_t flags) {
  bool learn = false;
  const bool here = mode == F_OK && paths_are_settled();  // see may_be_answered_here()
  const bool now = (flags & kFlagCallback) == 0 && paths_.empty() && here && inline_lane_.has_budget(0);
  if (now) {
    inline_lane_.charge();
    const int32_t result = inline_paths_.exists(path, &learn);
    if (result != kNotTaken) {
      ++statistics_.lanes[static_cast<size_t>(Lane::kInline)].operations;
      return result;
    }
  }
  auto job = std::make_unique<PathJob>();
  job->path = path;
  job->mode = mode;
  job->learn = learn;
  return accept_path(Operation::kAccess, job.release(), flags, now || !here);
}

int32_t IoContext::accept_path(Operation operation, PathJob* job, uint32_t flags, bool ask_pool) {
  Request* request = new_request(operation, nullptr, flags);
  request->path = job;
  ++unsettled_;
  if (ask_pool) {
    path_order_.add(request);
    start_path(request);
  } else {
    paths_.push(request);
    if ((flags & kFlagCallback) != 0) run_paths();
  }
  return accepted(request);
}

// All of a small file, into `memory` or, without any, into memory of the file's own: bytes, -errno of the
// open, kNotTaken for the pool, which goes on with the file if it is open, or kLater.
int32_t IoContext::read_whole_here(const char* path, WholeFile* file, char* memory, bool* learn) {
  inline_lane_.charge();
  const int32_t opened = inline_paths_.open_whole(path, file, learn);
  if (opened < 0) return opened;
  // The close of a file without a name frees its blocks, which may take long (H29).
  const uint64_t size = file->facts.size;
  if (!file->has_name || size > limits::whole_file_bytes) return kNotTaken;
  if (!inline_lane_.has_budget(size)) {
    // Files that wait are not to use up the process's descriptors.
    if (!inline_lane_.closes_at_once(file->fd, file->facts, size, file->facts.changed_ns)) return kNotTaken;
    inline_lane_.close_whole(file, inline_paths_.opened_ns());
    return kLater;
  }
  if (size > 0) {
    if (memory == nullptr && !file->reserve()) return kNotTaken;
    if (!inline_lane_.read_whole(*file, memory != nullptr ? memory : file->content.get())) {
      inline_lane_.fuse()->check(file->facts.mount, inline_paths_.opened_ns(), size);
      file->drop_content();
      return kNotTaken;
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
  int32_t result = kLater;
  const bool settled = paths_are_settled();
  if ((flags & kFlagCallback) == 0 && paths_.empty() && settled && inline_lane_.has_budget(0)) {
    result = read_whole_here(path, spare_file_.get(), memory, &learn);
    if (result != kNotTaken && result != kLater) {
      LaneCounters& lane = statistics_.lanes[static_cast<size_t>(Lane::kInline)];
      ++lane.operations;
      if (result > 0) lane.bytes += static_cast<uint64_t>(result);
      return result;
    }
  }
  auto job = std::make_unique<PathJob>();
  job->path = path;
  job->learn = learn;
  job->file = std::move(spare_file_);
  return accept_path(Operation::kReadFile, job.release(), flags, result == kNotTaken || !settled);
}

// What changes the disk, or reads it in any case: one trip to the pool. Memory of our own under `write.data`
// is held.
int32_t IoContext::run_in_pool(Operation operation, std::unique_ptr<PathJob> job, uint32_t flags) {
  AlignedBlock* block =
      operation == Operation::kWriteFile ? AlignedBlock::hold_if_ours(job->write.data) : nullptr;
  Request* request = new_request(operation, nullptr, flags);
  job->ending = &ending_jobs_;
  request->path = job.release();
  request->block = block;
  ++unsettled_;
  if (changes_file(operation)) ++unsettled_writes_;
  if (changes_paths(operation)) count_path_change();
  path_order_.add(request);
  start_path(request);
  return accepted(request);
}

void IoContext::count_path_change() {
  ++unsettled_path_changes_;
  start_earlier_questions();
}

// Questions that wait for budget and were made before a change: they go ahead of it.
void IoContext::start_earlier_questions() {
  while (Request* question = paths_.pop()) {
    path_order_.add(question);
    to_threads(question);
  }
}

// To the pool, or behind an earlier call on the same path.
void IoContext::start_path(Request* request) {
  Request* earlier = path_order_.find_earlier(request);
  if (earlier != nullptr) return wait_behind(earlier, request);
  if (request->operation == Operation::kHostCall) return start_host_call(request);
  // It waited for a change that is over: the caches may answer it now, ahead of what the program does next.
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
      return request->path->mode == F_OK;
    default:
      return false;
  }
}

int32_t IoContext::answer_here(Operation operation, PathJob* job) {
  const char* path = job->path.c_str();
  if (operation == Operation::kReadFile) return read_whole_here(path, job->file.get(), nullptr, &job->learn);
  inline_lane_.charge();
  return operation == Operation::kStat ? inline_paths_.stat(path, job->follow, &job->status, &job->learn)
                                       : inline_paths_.exists(path, &job->learn);
}

void IoContext::run_paths() {
  while (!paths_.empty() && inline_lane_.has_budget(0)) {
    Request* request = paths_.pop();
    const int32_t result = answer_here(request->operation, request->path);
    if (result == kLater) {
      paths_.push_front(request);
      return;
    }
    if (result == kNotTaken) {
      to_threads(request);
    } else {
      request->lane = Lane::kInline;
      settle(request, result);
    }
  }
}

// What the pool found out about the mount.
void IoContext::learn_from(const PathJob& job) {
  if (job.learned) inline_paths_.learn(job.mount, job.filesystem);
  if (job.file == nullptr) return;
  inline_paths_.learn(job.file->facts);
  inline_lane_.fuse()->opened_elsewhere(job.file->facts.mount, job.file->open_ns);
  if (job.file->has_content()) inline_lane_.closed_elsewhere(job.file->facts);
}

// Where the attributes of an open file are in memory: not on overlayfs, which asks the filesystem below it.
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
  if (descriptor == nullptr || descriptor->foreign()) return kNotTaken;
  if (descriptor->closing) return -EBADF;
  const bool behind_change = descriptor->follows_change(turn_, -1, 0);
  const bool free = !behind_change && descriptor->waiting.empty() && !descriptor->exclusive_running;
  if ((flags & kFlagCallback) == 0 && descriptor->known() && free && stats_at_once(descriptor)) {
    ++statistics_.lanes[static_cast<size_t>(Lane::kInline)].operations;
    return stat_here(descriptor, status);
  }
  Request* request = new_request(Operation::kStatx, descriptor, flags);
  request->path = new PathJob();
  if (behind_change) request->gate = Gate::kExclusive;
  return accept(request);
}

void IoContext::route_stat(Request* request) {
  if (stats_at_once(request->descriptor)) {
    request->lane = Lane::kInline;
    return settle(request, stat_here(request->descriptor, &request->path->status));
  }
  if (!backend_->capabilities().serves(request->operation)) return to_threads(request);
  request->flags |= kFlagMayWait;
  to_backend(request);
}

PathJob* IoContext::answer_of(uint32_t slot) {
  const Request* request = slots_.taken_at(slot);
  return request != nullptr && request->finished ? request->path : nullptr;
}

}  // namespace ioengine
