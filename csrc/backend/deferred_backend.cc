#include "backend/deferred_backend.h"

#include <cerrno>

#include "backend/kinds.h"
#include "base/clock.h"
#include "base/limits.h"

namespace ioengine {
namespace {
constexpr const char* kFirst = "first of uring, aio, threads that is available";
}

DeferredBackend::DeferredBackend(BackendType type, bool forced, const std::string& skipped, uint32_t depth,
                                 int wake_fd)
    : type_(type),
      forced_(forced),
      skipped_(skipped),
      depth_(depth),
      wake_fd_(wake_fd),
      capabilities_(expected_capabilities(type, depth)) {
  reason = forced ? "asked for by name" : skipped + kFirst;
}

std::unique_ptr<IoBackend> DeferredBackend::make() {
  if (given_up_ || monotonic_ns() < not_before_ns_) return nullptr;
  BackendResult result = make_backend(type_, depth_, wake_fd_);
  if (result.backend) {
    result.backend->reason = reason;
    return std::move(result.backend);
  }
  if (passes(result)) {
    not_before_ns_ = monotonic_ns() + limits::make_again_ns;
  } else if (forced_) {
    given_up_ = true;
    reason += "; by the first request that needed it " + describe_failure(type_, result);
  } else {
    skipped_ += describe_failure(type_, result) + "; ";
    take_next();
  }
  return nullptr;
}

// Automatic choice waits for descriptors alone: short memory is a reason to take the next kind. A backend
// that was asked for by name has no next.
bool DeferredBackend::passes(const BackendResult& failure) const {
  if (lacks_descriptors(failure.error_number, wake_fd_)) return true;
  return forced_ && (failure.error_number == ENOMEM || failure.error_number == EAGAIN);
}

void DeferredBackend::take_next() {
  if (type_ == BackendType::kUring) {
    const BackendResult aio = look_for_backend(BackendType::kAio, depth_);
    type_ = BackendType::kAio;
    given_up_ = aio.error_number != 0;
    if (given_up_) skipped_ += describe_failure(BackendType::kAio, aio) + "; ";
  } else {
    given_up_ = true;
  }
  // The pool that every engine has beside its backend.
  if (given_up_) type_ = BackendType::kThreads;
  capabilities_ = expected_capabilities(type_, depth_);
  reason = skipped_ + kFirst;
}

}  // namespace ioengine
