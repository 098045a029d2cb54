#include "backend/threads/execute.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/eintr.h"
#include "base/statx.h"
#include "jobs/file_facts.h"
#include "jobs/open_file.h"
#include "jobs/path_job.h"
#include "jobs/reserved_number.h"
#include "jobs/result_codes.h"
#include "jobs/stat_path.h"
#include "jobs/transfer.h"
#include "jobs/unaligned_direct_write.h"

namespace ioengine {
namespace {

int64_t position_of(const Request* request) {
  return request->has(kFlagCurrentPosition) ? -1 : static_cast<int64_t>(request->offset);
}

int32_t read_bytes(const Request* request) {
  const auto count = static_cast<int>(request->vectors_per_attempt());
  return read_vectors(request->fd, request->vectors, count, position_of(request));
}

int32_t write_bytes(const Request* request) {
  const auto write = request->has(kFlagClearDirect) ? unaligned_direct_write : write_vectors;
  const auto count = static_cast<int>(request->vectors_per_attempt());
  return write(request->fd, request->vectors, count, position_of(request));
}

int32_t stat_descriptor(const Request* request) {
  struct statx* status = &static_cast<StatJob*>(request->job)->status;
  return stat_result(
      without_eintr([&] { return statx_at(request->fd, "", AT_EMPTY_PATH, kStatxMask, status); }));
}

int32_t execute_known(Request* request) {
  switch (request->operation) {
    case Operation::kRead:
      return read_bytes(request);
    case Operation::kWrite:
      return write_bytes(request);
    case Operation::kFsync:
      return without_eintr([&] { return ::fsync(request->fd); });
    case Operation::kFdatasync:
      return without_eintr([&] { return ::fdatasync(request->fd); });
    case Operation::kOpen:
      return open_with_facts(request->open);
    case Operation::kClose:
      return request->has(kFlagKeepNumber) ? close_keeping_number(request->fd) : close_once(request->fd);
    case Operation::kStat:
    case Operation::kAccess:
    case Operation::kReadFile:
    case Operation::kWriteFile:
    case Operation::kReadDirectory:
    case Operation::kReadTree:
    case Operation::kCopyTree:
    case Operation::kCopyFile:
    case Operation::kRemoveTree:
    case Operation::kChangePath:
    case Operation::kReadLink:
    case Operation::kStatFilesystem:
    case Operation::kOpenDirectory:
    case Operation::kReadEntries:
    case Operation::kSetAttributes:
    case Operation::kReadMounts:
      return request->job->run();
    case Operation::kStatx:
      return stat_descriptor(request);
    case Operation::kFtruncate:
      return without_eintr([&] { return ::ftruncate(request->fd, static_cast<off_t>(request->offset)); });
    case Operation::kFirstLook:
      break;  // no lane's
  }
  return -ENOSYS;
}

// The first operation on a descriptor that the engine knows nothing of. It is run here and now where a plain
// system call is right whatever the file is, so that it makes progress while JavaScript is busy (H28).
int32_t classify_and_execute(Request* request) {
  FileFacts& facts = request->open->facts;
  const int32_t status = read_file_facts(request->fd, &facts);
  if (status < 0 || facts.kind == FileKind::kForeign) return kUnsupported;
  if (facts.direct && moves_bytes(request->operation)) return kNeedsRouting;
  if (facts.append) request->flags |= kFlagAppend;
  return execute_known(request);
}

}  // namespace

int32_t execute_request(Request* request) {
  const bool unknown = request->open != nullptr && request->operation != Operation::kOpen;
  return unknown ? classify_and_execute(request) : execute_known(request);
}

bool should_resume(const Request* request) {
  const ResumableJob* job = unfinished_job(request);
  return job != nullptr && !job->is_ending();
}

}  // namespace ioengine
