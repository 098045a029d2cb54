#include "backend/kinds.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "backend/aio/aio_backend.h"
#include "backend/threads/threads_backend.h"
#include "backend/uring/uring_backend.h"
#include "base/errno_name.h"

namespace ioengine {
namespace {

// The mock is made by its tests, never chosen.
BackendResult no_such_backend() {
  BackendResult none;
  none.error_number = EINVAL;
  none.cause = "no such backend";
  return none;
}

const char* public_name(BackendType type) {
  switch (type) {
    case BackendType::kUring:
      return "io_uring";
    case BackendType::kAio:
      return "Linux native AIO";
    default:
      return "the thread pool";
  }
}

// What a backend opens at most while it starts: a ring, and both ends of the pipe that tells when it is gone.
constexpr int kDescriptorsNeeded = 3;

}  // namespace

BackendResult make_backend(BackendType type, uint32_t depth, int wake_fd) {
  switch (type) {
    case BackendType::kUring:
      return UringBackend::create(depth, wake_fd);
    case BackendType::kAio:
      return AioBackend::create(depth, wake_fd);
    case BackendType::kThreads:
      return ThreadsBackend::create(depth, wake_fd);
    case BackendType::kMock:
      break;
  }
  return no_such_backend();
}

BackendResult look_for_backend(BackendType type, uint32_t depth) {
  switch (type) {
    case BackendType::kUring:
      return UringBackend::probe();
    case BackendType::kAio:
      return AioBackend::probe(depth);
    case BackendType::kThreads:
      return BackendResult();
    case BackendType::kMock:
      break;
  }
  return no_such_backend();
}

Capabilities expected_capabilities(BackendType type, uint32_t depth) {
  switch (type) {
    case BackendType::kUring:
      return UringBackend::expected(depth);
    case BackendType::kAio:
      return AioBackend::capabilities_of(depth);
    default:
      return ThreadsBackend(depth, -1).capabilities();
  }
}

std::string describe_failure(BackendType type, const BackendResult& result) {
  return std::string(public_name(type)) + " is not available: " + errno_name(result.error_number) + ", " +
         result.cause;
}

bool lacks_descriptors(int error_number, int wake_fd) {
  if (error_number != EMFILE && error_number != ENFILE) return false;
  int had[kDescriptorsNeeded];
  int count = 0;
  while (count < kDescriptorsNeeded && (had[count] = fcntl(wake_fd, F_DUPFD_CLOEXEC, 0)) != -1) ++count;
  for (int i = 0; i < count; ++i) close(had[i]);
  return count < kDescriptorsNeeded;
}

}  // namespace ioengine
