#include "test/bare_backend.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "test/check.h"

namespace ioengine::test {

BareBackend::BareBackend(Create create, uint32_t depth) {
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  result_ = create(depth, wake_fd_);
}

BareBackend::~BareBackend() {
  if (ok()) finish();
  result_.backend.reset();
  close(wake_fd_);
}

Request* BareBackend::make(Operation operation, int fd, void* memory, uint64_t bytes, uint64_t offset,
                           uint32_t flags) {
  requests_.push_back(std::make_unique<Request>());
  Request* request = requests_.back().get();
  request->slot = static_cast<uint32_t>(requests_.size());
  request->generation = static_cast<uint32_t>(requests_.size() * 2 + 1);
  request->operation = operation;
  request->fd = fd;
  request->flags = flags;
  request->offset = offset;
  request->wanted = bytes;
  request->single = {memory, bytes};
  request->vectors = &request->single;
  request->vector_count = 1;
  return request;
}

void BareBackend::submit_all(const std::vector<Request*>& requests) {
  size_t taken = 0;
  while (taken < requests.size()) {
    const size_t now = result_.backend->submit(requests.data() + taken, requests.size() - taken);
    CHECK(now <= requests.size() - taken);
    CHECK(result_.backend->in_flight() <= result_.backend->capabilities().depth);
    taken += now;
    if (taken < requests.size() && reap() == 0) wait_for_wake_up(kWakeUp_ms);
  }
}

size_t BareBackend::reap() {
  Completion completions[32];
  const size_t count = result_.backend->reap(completions, 32);
  for (size_t i = 0; i < count; ++i) {
    Request* request = completions[i].request;
    CHECK_EQ(request->generation & 1, 1u);  // comes back once
    ++request->generation;
    request->result = completions[i].result;
  }
  completed_ += count;
  return count;
}

bool BareBackend::wait_for_wake_up(int timeout_ms) {
  if (result_.backend->arm_wake()) return true;
  pollfd wake_up = {wake_fd_, POLLIN, 0};
  const bool woke_up = poll(&wake_up, 1, timeout_ms) == 1;
  eventfd_t count;
  eventfd_read(wake_fd_, &count);
  return woke_up;
}

void BareBackend::finish(int timeout_ms) {
  while (result_.backend->in_flight() > 0) {
    result_.backend->disarm_wake();
    if (reap() > 0) continue;
    if (!wait_for_wake_up(timeout_ms)) {
      fail(__FILE__, __LINE__,
           "no wake-up within " + std::to_string(timeout_ms) + " ms with " +
               std::to_string(result_.backend->in_flight()) + " in flight");
    }
  }
}

}  // namespace ioengine::test
