// Questions about paths and attributes: answered on the calling thread where the kernel's caches have it all
// and the budget of the turn allows, in a later turn where it does not, in the pool where someone may have to
// be waited for.

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "backend/path_job.h"
#include "base/check.h"
#include "scheduler/context.h"

namespace ioengine {
namespace {

constexpr int32_t accepted(const Request* request) {
  return kAcceptedBase - static_cast<int32_t>(request->slot);
}

}  // namespace

int32_t IoContext::stat(const char* path, bool follow, uint32_t flags, struct statx* status) {
  bool learn = false;
  // Those that wait for budget go first, so that none waits for ever.
  const bool now = (flags & kFlagCallback) == 0 && paths_.empty() && inline_lane_.has_budget(0);
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
  return accept_path(Operation::kStat, job.release(), flags, now);
}

int32_t IoContext::access(const char* path, int32_t mode, uint32_t flags) {
  bool learn = false;
  const bool now =
      (flags & kFlagCallback) == 0 && paths_.empty() && mode == F_OK && inline_lane_.has_budget(0);
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
  // Permissions: an access control list that is not in memory is read from the disk.
  return accept_path(Operation::kAccess, job.release(), flags, now || mode != F_OK);
}

int32_t IoContext::accept_path(Operation operation, PathJob* job, uint32_t flags, bool ask_pool) {
  Request* request = new_request(operation, nullptr, flags);
  request->path = job;
  ++unsettled_;
  if (ask_pool) {
    to_threads(request);
  } else {
    paths_.push(request);
    if ((flags & kFlagCallback) != 0) run_paths();
  }
  return accepted(request);
}

int32_t IoContext::answer_here(Operation operation, PathJob* job) {
  inline_lane_.charge();
  return operation == Operation::kStat
             ? inline_paths_.stat(job->path.c_str(), job->follow, &job->status, &job->learn)
             : inline_paths_.exists(job->path.c_str(), &job->learn);
}

void IoContext::run_paths() {
  while (!paths_.empty() && inline_lane_.has_budget(0)) {
    Request* request = paths_.pop();
    const int32_t result = answer_here(request->operation, request->path);
    if (result == kNotTaken) {
      to_threads(request);
    } else {
      request->lane = Lane::kInline;
      settle(request, result);
    }
  }
}

// Where the attributes of an open file are in memory: not on overlayfs, which asks the filesystem below it.
bool IoContext::stats_at_once(const Descriptor* descriptor) {
  const FilesystemTraits& filesystem = descriptor->facts.filesystem;
  return (filesystem.nowait_reads || filesystem.memory_backed) && inline_lane_.has_budget(0);
}

int32_t IoContext::stat_here(Descriptor* descriptor, struct statx* status) {
  inline_lane_.charge();
  return statx(descriptor->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, kStatxMask, status) == 0 ? 0 : -errno;
}

int32_t IoContext::stat_descriptor(int fd, uint32_t flags, struct statx* status) {
  Descriptor* descriptor = usable(fd, flags);
  if (descriptor == nullptr || descriptor->foreign()) return kNotTaken;
  if (descriptor->closing) return -EBADF;
  if ((flags & kFlagCallback) == 0 && descriptor->known() && stats_at_once(descriptor)) {
    ++statistics_.lanes[static_cast<size_t>(Lane::kInline)].operations;
    return stat_here(descriptor, status);
  }
  Request* request = new_request(Operation::kStatx, descriptor, flags);
  request->path = new PathJob();
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
  PathJob* job = slots_.at(slot)->path;
  IOE_CHECK(job != nullptr);
  return job;
}

}  // namespace ioengine
