#include "backend/factory.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "backend/deferred_backend.h"
#include "backend/kinds.h"

namespace ioengine {
namespace {

constexpr uint32_t kProbeDepth = 4;

std::unique_ptr<IoBackend> deferred(BackendType type, bool forced, const std::string& skipped, uint32_t depth,
                                    int wake_fd) {
  return std::make_unique<DeferredBackend>(type, forced, skipped, depth, wake_fd);
}

// Making a ring and giving it back takes 0.3 ms; with an AIO context it would be 40.
BackendResult try_backend(BackendType type, uint32_t depth, int wake_fd) {
  if (type == BackendType::kAio) return look_for_backend(type, depth);
  BackendResult result = make_backend(type, depth, wake_fd);
  result.backend.reset();
  return result;
}

Choice by_name(BackendType type, uint32_t depth, int wake_fd) {
  Choice choice;
  if (type == BackendType::kThreads) {
    choice.result = make_backend(type, depth, wake_fd);
    choice.reason = choice.result.backend->reason = "asked for by name";
    return choice;
  }
  choice.result = try_backend(type, depth, wake_fd);
  if (choice.result.error_number != 0) {
    choice.reason = describe_failure(type, choice.result);
    return choice;
  }
  choice.result.backend = deferred(type, true, "", depth, wake_fd);
  choice.reason = choice.result.backend->reason;
  return choice;
}

// What a ring would lack now, where the kernel allows one.
BackendResult look_for(BackendType type, uint32_t depth, int wake_fd) {
  BackendResult result = look_for_backend(type, depth);
  if (type != BackendType::kUring || result.error_number != 0 || !lacks_descriptors(EMFILE, wake_fd))
    return result;
  return make_backend(type, depth, wake_fd);
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
  result = try_backend(type, kProbeDepth, wake_fd);
  close(wake_fd);
  return result;
}

Choice create_backend(uint32_t depth, std::optional<BackendType> type, int wake_fd) {
  if (type.has_value()) return by_name(*type, depth, wake_fd);
  Choice choice;
  std::string skipped;
  for (BackendType candidate : {BackendType::kUring, BackendType::kAio}) {
    choice.result = look_for(candidate, depth, wake_fd);
    if (choice.result.error_number == 0) {
      choice.result.backend = deferred(candidate, false, skipped, depth, wake_fd);
      choice.reason = choice.result.backend->reason;
      return choice;
    }
    skipped += describe_failure(candidate, choice.result) + "; ";
    // The choice is for the life of the thread: it is not made while the best one only lacks a descriptor.
    if (lacks_descriptors(choice.result.error_number, wake_fd)) {
      choice.reason = skipped;
      return choice;
    }
  }
  choice.result = make_backend(BackendType::kThreads, depth, wake_fd);
  choice.reason = choice.result.backend->reason = skipped + "first of uring, aio, threads that is available";
  return choice;
}

}  // namespace ioengine
