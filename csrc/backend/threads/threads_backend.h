// Plain system calls on the pool: the lane for everything that would block elsewhere, and the reference that
// the two kernel backends are compared with.
#pragma once

#include "backend/backend.h"
#include "backend/threads/thread_pool.h"
#include "base/limits.h"

namespace ioengine {

class ThreadsBackend final : public IoBackend {
 public:
  static BackendResult create(uint32_t depth, int wake_fd);

  ThreadsBackend(uint32_t depth, int wake_fd);

  BackendType type() const override { return BackendType::kThreads; }
  const Capabilities& capabilities() const override { return capabilities_; }
  size_t submit(Request* const* requests, size_t count) override;
  size_t reap(Completion* into, size_t capacity) override;
  size_t in_flight() const override { return in_flight_; }
  // Of those, the ones that no remote mount can hold up.
  size_t local_in_flight() const { return in_flight_ - remote_in_flight_; }
  bool arm_wake() override;
  void disarm_wake() override { pool_.disarm_wake(); }
  // One request, handed to the pool with the next submit() or flush(): look-ups, which change nothing and
  // come in numbers.
  void submit_later(Request* request) {
    request->next = newest_;
    if (newest_ == nullptr) oldest_ = request;
    newest_ = request;
    ++in_flight_;
    // The first ones at once where the pool has nothing else to do.
    if (++later_ >= limits::look_ups_together || local_in_flight() == later_) flush();
  }
  void flush() {
    if (newest_ != nullptr) hand_over();
  }

  // Requests that a thread is running now; the others wait in the pool's queue, or for reap().
  size_t running() const { return pool_.running(); }

  bool may_spin() const { return pool_.may_spin(); }
  // Waits for the end of a request without sleeping: ThreadPool::spin.
  bool spin(uint64_t most_ns) { return finished_ != nullptr || pool_.spin(most_ns); }

  // Takes back what no thread has started, linked through `next`; it no longer counts as in flight.
  Request* take_queued();
  // The same for the first one that `wanted` accepts.
  Request* take_queued(ThreadPool::Wanted wanted, const void* argument);

 private:
  void hand_over();
  void forget(const Request* request);

  ThreadPool pool_;
  Request* newest_ = nullptr;  // those that submit_later() has taken
  Request* oldest_ = nullptr;
  size_t later_ = 0;
  Capabilities capabilities_;
  size_t in_flight_ = 0;
  size_t remote_in_flight_ = 0;
  Request* finished_ = nullptr;  // taken from the pool, not yet handed out
};

}  // namespace ioengine
