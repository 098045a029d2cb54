// What is in flight, for people. The slots know all of it: nothing is kept for this but the time at which a
// request was accepted. Of a request that a thread works on only what that thread never writes is looked at.

#include <fcntl.h>

#include <algorithm>
#include <typeinfo>

#include "base/clock.h"
#include "jobs/descriptor_syscalls.h"
#include "jobs/directory_stream.h"
#include "jobs/path_syscalls.h"
#include "jobs/stat_path.h"
#include "jobs/write_file.h"
#include "scheduler/context.h"

namespace ioengine {
namespace {

struct NamedJob {
  const std::type_info& job;
  const char* function;
};

// Jobs that are one of several of an operation.
const char* name_of(const PathJob& job) {
  static const NamedJob kNames[] = {
      {typeid(MakeDirectoryJob), "mkdir"},
      {typeid(MakeDirectoriesJob), "mkdir"},
      {typeid(RemoveDirectoryJob), "rmdir"},
      {typeid(UnlinkJob), "unlink"},
      {typeid(TruncateJob), "truncate"},
      {typeid(ChangeModeJob), "chmod"},
      {typeid(ReadLinkJob), "readlink"},
      {typeid(RealPathJob), "realpath"},
      {typeid(RenameJob), "rename"},
      {typeid(LinkJob), "link"},
      {typeid(SymbolicLinkJob), "symlink"},
      {typeid(MakeTemporaryJob), "mkdtemp"},
      {typeid(ReadEntriesJob), "Dir.read"},
      {typeid(CloseDirectoryJob), "Dir.close"},
      {typeid(ChangeDescriptorModeJob), "fchmod"},
      {typeid(ChangeDescriptorOwnerJob), "fchown"},
      {typeid(SetDescriptorTimesJob), "futimes"},
  };
  const std::type_info& type = typeid(job);
  for (const NamedJob& named : kNames) {
    if (named.job == type) return named.function;
  }
  if (const auto* owner = dynamic_cast<const ChangeOwnerJob*>(&job))
    return owner->follow ? "chown" : "lchown";
  if (const auto* times = dynamic_cast<const SetTimesJob*>(&job)) return times->follow ? "utimes" : "lutimes";
  return "";
}

const char* function_of(const Request* request) {
  switch (request->operation) {
    case Operation::kRead:
      return request->blocks != nullptr ? "readv" : "read";
    case Operation::kWrite:
      return request->blocks != nullptr ? "writev" : "write";
    case Operation::kStat:
      return static_cast<const StatJob*>(request->job)->follow ? "stat" : "lstat";
    case Operation::kWriteFile:
      return (static_cast<const WriteFileJob*>(request->job)->flags & O_APPEND) != 0 ? "appendFile"
                                                                                     : "writeFile";
    case Operation::kStatx:
      return "fstat";
    case Operation::kReadDirectory:
    case Operation::kReadTree:
      return "readdir";
    case Operation::kCopyTree:
      return "cp";
    case Operation::kRemoveTree:
      return "rm";
    case Operation::kStatFilesystem:
      return "statfs";
    case Operation::kOpenDirectory:
      return "opendir";
    case Operation::kChangePath:
    case Operation::kReadLink:
    case Operation::kReadEntries:
    case Operation::kSetAttributes:
      return name_of(*request->job);
    default:
      return operation_name(request->operation);
  }
}

// A program's own, and not settled.
bool is_call(const Request* request) {
  const bool internal = request->parts != nullptr || request->operation == Operation::kReadMounts ||
                        request->operation == Operation::kFirstLook;
  return !request->finished && !internal;
}

}  // namespace

FilesystemKind IoContext::kind_of(const Request* request) {
  if (request->descriptor != nullptr && request->descriptor->known())
    return request->descriptor->facts.filesystem_kind();
  if (request->mount_queue != 0) return FilesystemKind::kRemote;
  if (request->operation == Operation::kOpen) return mounts_.kind_of(request->open->path);
  return request->job != nullptr ? mounts_.kind_of(request->job->paths().first) : FilesystemKind::kLocal;
}

CallInFlight IoContext::call_of(const Request* request) {
  CallInFlight call;
  call.function = function_of(request);
  call.lane = request->lane;
  call.kind = kind_of(request);
  if (request->descriptor != nullptr) {
    call.fd = request->fd;
    call.path = path_of_number(request->fd);
  } else if (request->operation == Operation::kOpen) {
    call.path = request->open->path;
  } else if (request->job != nullptr) {
    const PathPair paths = request->job->paths();
    call.path = paths.first;
    call.target = paths.second;
  }
  call.mount = request->mount_queue != 0 ? mounts_.point_of(request->mount_queue) : std::string();
  if (call.mount.empty() && !call.path.empty()) call.mount = mounts_.point_of_path(call.path);
  return call;
}

std::vector<CallInFlight> IoContext::calls_of(std::vector<Request*>* requests) {
  std::sort(requests->begin(), requests->end(),
            [](const Request* a, const Request* b) { return a->accepted_ns < b->accepted_ns; });
  std::vector<CallInFlight> calls;
  calls.reserve(requests->size());
  const uint64_t now = coarse_monotonic_ns();
  for (const Request* request : *requests) {
    calls.push_back(call_of(request));
    calls.back().age_ns = now - request->accepted_ns;
  }
  return calls;
}

std::vector<CallInFlight> IoContext::calls_in_flight(uint64_t least_age_ns) {
  std::vector<Request*> found;
  const uint64_t now = coarse_monotonic_ns();
  slots_.for_each_taken([&](Request* request) {
    if (is_call(request) && now - request->accepted_ns >= least_age_ns) found.push_back(request);
  });
  return calls_of(&found);
}

std::vector<CallInFlight> IoContext::slow_calls(uint64_t least_age_ns) {
  std::vector<Request*> found;
  const uint64_t now = coarse_monotonic_ns();
  slots_.for_each_taken([&](Request* request) {
    if (!is_call(request) || request->told || now - request->accepted_ns < least_age_ns) return;
    request->told = true;
    found.push_back(request);
  });
  return calls_of(&found);
}

uint64_t IoContext::oldest_call_ns() {
  uint64_t oldest = 0;
  const uint64_t now = coarse_monotonic_ns();
  slots_.for_each_taken([&](const Request* request) {
    // One that was accepted just now has an age as well.
    if (is_call(request) && !request->told) oldest = std::max(oldest, now - request->accepted_ns + 1);
  });
  return oldest;
}

}  // namespace ioengine
