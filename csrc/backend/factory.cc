#include "backend/factory.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "backend/aio/aio_backend.h"
#include "backend/threads/threads_backend.h"
#include "backend/uring/uring_backend.h"

namespace ioengine {
namespace {

constexpr uint32_t kProbeDepth = 4;

BackendResult create_one(BackendType type, uint32_t depth, int wake_fd) {
  switch (type) {
    case BackendType::kUring:
      return UringBackend::create(depth, wake_fd);
    case BackendType::kAio:
      return AioBackend::create(depth, wake_fd);
    case BackendType::kThreads:
      return ThreadsBackend::create(depth, wake_fd);
    case BackendType::kMock:
      break;  // made by its tests, never chosen
  }
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

std::string describe_failure(BackendType type, const BackendResult& result) {
  return std::string(public_name(type)) + " is not available: " + strerrorname_np(result.error_number) +
         ", " + result.cause;
}

// What a backend opens at most while it starts: a ring, and both ends of the pipe that tells when it is gone.
constexpr int kDescriptorsNeeded = 3;

// True for a lack of descriptors that the process feels now and that may have passed by the next call. A
// sandbox may answer EMFILE too: there others can still be had.
bool lacks_descriptors(int error_number, int wake_fd) {
  if (error_number != EMFILE && error_number != ENFILE) return false;
  int had[kDescriptorsNeeded];
  int count = 0;
  while (count < kDescriptorsNeeded && (had[count] = fcntl(wake_fd, F_DUPFD_CLOEXEC, 0)) != -1) ++count;
  for (int i = 0; i < count; ++i) close(had[i]);
  return count < kDescriptorsNeeded;
}

}  // namespace

BackendResult probe_backend(BackendType type) {
  BackendResult result;
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd == -1) {
    result.error_number = errno;
    result.cause = "no free file descriptor";
    result.fix = "raise the open-files limit (ulimit -n)";
    return result;
  }
  result = create_one(type, kProbeDepth, wake_fd);
  result.backend.reset();
  close(wake_fd);
  return result;
}

Choice create_backend(uint32_t depth, std::optional<BackendType> type, int wake_fd) {
  Choice choice;
  if (type.has_value()) {
    choice.result = create_one(*type, depth, wake_fd);
    choice.reason = choice.result.backend ? "asked for by name" : describe_failure(*type, choice.result);
    return choice;
  }
  std::string skipped;
  for (BackendType candidate : {BackendType::kUring, BackendType::kAio, BackendType::kThreads}) {
    choice.result = create_one(candidate, depth, wake_fd);
    if (choice.result.backend) {
      choice.reason = skipped + "first of uring, aio, threads that is available";
      return choice;
    }
    skipped += describe_failure(candidate, choice.result) + "; ";
    // The choice is for the life of the thread: it is not made while the best one only lacks a descriptor.
    if (lacks_descriptors(choice.result.error_number, wake_fd)) break;
  }
  choice.reason = skipped;
  return choice;
}

}  // namespace ioengine
