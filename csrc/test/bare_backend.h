// A backend without a scheduler on top: requests of a test's own, and the wake-up.
#pragma once

#include <memory>
#include <vector>

#include "backend/backend.h"

namespace ioengine::test {

// For how long a wake-up that has to come is waited for. It comes at once; a machine that is very busy may
// take seconds.
constexpr int kWakeUp_ms = 60000;

class BareBackend {
 public:
  using Create = BackendResult (*)(uint32_t depth, int wake_fd);
  BareBackend(Create create, uint32_t depth);
  ~BareBackend();

  bool ok() const { return result_.backend != nullptr; }
  const BackendResult& result() const { return result_; }
  IoBackend* operator->() { return result_.backend.get(); }
  int wake_fd() const { return wake_fd_; }

  // A request that nobody has submitted yet. Owned here, reusable after its completion.
  Request* make(Operation operation, int fd, void* memory, uint64_t bytes, uint64_t offset,
                uint32_t flags = 0);
  // Submits in order, reaping when the backend takes no more, until all are taken.
  void submit_all(const std::vector<Request*>& requests);
  // Reaps once; results go to Request::result and completed() counts them.
  size_t reap();
  // Arms, sleeps until the wake-up, reaps, until nothing is in flight. A wake-up that should come and does
  // not within `timeout_ms` fails the test.
  void finish(int timeout_ms = kWakeUp_ms);
  // Arms, and waits for the wake-up when that is said to be safe. False when it did not come.
  bool wait_for_wake_up(int timeout_ms);
  uint64_t completed() const { return completed_; }

 private:
  int wake_fd_ = -1;
  BackendResult result_;
  std::vector<std::unique_ptr<Request>> requests_;
  uint64_t completed_ = 0;
};

}  // namespace ioengine::test
