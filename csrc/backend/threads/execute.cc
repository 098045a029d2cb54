#include "backend/threads/execute.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "base/eintr.h"
#include "base/limits.h"
#include "jobs/copy_tree.h"
#include "jobs/file_facts.h"
#include "jobs/path_job.h"
#include "jobs/read_directory.h"
#include "jobs/result_codes.h"

namespace ioengine {
namespace {

int32_t read_bytes(Request* request) {
  const int count = static_cast<int>(request->vectors_per_attempt());
  if (request->has(kFlagCurrentPosition)) {
    return without_eintr([&] { return ::readv(request->fd, request->vectors, count); });
  }
  return without_eintr(
      [&] { return ::preadv(request->fd, request->vectors, count, static_cast<off_t>(request->offset)); });
}

int32_t write_bytes(Request* request) {
  const int count = static_cast<int>(request->vectors_per_attempt());
  // With O_APPEND the kernel ignores the offset of pwritev(2), and the file position stays where it is.
  if (request->has(kFlagCurrentPosition)) {
    return without_eintr([&] { return ::writev(request->fd, request->vectors, count); });
  }
  return without_eintr(
      [&] { return ::pwritev(request->fd, request->vectors, count, static_cast<off_t>(request->offset)); });
}

// An O_DIRECT write whose offset or length is not aligned. It has the descriptor to itself
// (Gate::kExclusive), so O_DIRECT can be switched off on the open file while the unaligned blocks go through
// the page cache; every other request on the descriptor sees it on. docs/decisions/0003 says why this and not
// a second descriptor.
int32_t write_without_direct(Request* request) {
  const int flags = fcntl(request->fd, F_GETFL);
  if (flags == -1) return -errno;
  if (fcntl(request->fd, F_SETFL, flags & ~O_DIRECT) == -1) return -errno;
  const int32_t result = write_bytes(request);
  fcntl(request->fd, F_SETFL, flags);
  return result;
}

int32_t stat_descriptor(Request* request) {
  return without_eintr(
      [&] { return statx(request->fd, "", AT_EMPTY_PATH, kStatxMask, &request->path->status); });
}

int32_t execute_known(Request* request) {
  switch (request->operation) {
    case Operation::kRead:
      return read_bytes(request);
    case Operation::kWrite:
      return request->has(kFlagClearDirect) ? write_without_direct(request) : write_bytes(request);
    case Operation::kFsync:
      return without_eintr([&] { return ::fsync(request->fd); });
    case Operation::kFdatasync:
      return without_eintr([&] { return ::fdatasync(request->fd); });
    case Operation::kOpen:
      return open_with_facts(request->open);
    case Operation::kClose:
      return close_once(request->fd);
    case Operation::kStat:
      return stat_path(request->path);
    case Operation::kAccess:
      return access_path(request->path);
    case Operation::kReadFile:
      return read_whole_file(request->path->path, request->path->file.get());
    case Operation::kWriteFile:
      return write_whole_file(request->path->path, &request->path->write, request->path->file.get());
    case Operation::kReadDirectory:
      return read_directory(request->path);
    case Operation::kReadTree:
      return read_tree(request->path);
    case Operation::kCopyTree:
      return copy_tree(request->path);
    case Operation::kRemoveTree:
      return remove_tree(request->path);
    case Operation::kChangePath:
    case Operation::kReadLink:
      return change_path(request->path);
    case Operation::kStatx:
      return stat_descriptor(request);
    case Operation::kFtruncate:
      return without_eintr([&] { return ::ftruncate(request->fd, static_cast<off_t>(request->offset)); });
    case Operation::kHostCall:
      return kNeedsRouting;  // only to learn whose file it is
  }
  return -ENOSYS;
}

// The first operation on a descriptor that the engine knows nothing of. It is run here and now where a plain
// system call is right whatever the file is, so that it makes progress while JavaScript is busy (H28).
int32_t classify_and_execute(Request* request) {
  FileFacts& facts = request->open->facts;
  const int32_t status = read_file_facts(request->fd, &facts);
  if (status < 0 || facts.kind == FileKind::kForeign) return kNotTaken;
  if (facts.direct && moves_bytes(request->operation)) return kNeedsRouting;
  if (facts.append) request->flags |= kFlagAppend;
  return execute_known(request);
}

}  // namespace

int32_t execute_request(Request* request) {
  const bool unknown = request->open != nullptr && request->operation != Operation::kOpen;
  return unknown ? classify_and_execute(request) : execute_known(request);
}

bool goes_on(const Request* request) {
  const PathJob* job = request->path;
  return job != nullptr && job->resumable != nullptr && !job->is_ending();
}

}  // namespace ioengine
