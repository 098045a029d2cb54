// Plain system calls on the pool: the lane for everything that would block elsewhere, and the reference that
// the two kernel backends are compared with.
#pragma once

#include "backend/backend.h"
#include "backend/threads/thread_pool.h"

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
  bool arm_wake() override;
  void disarm_wake() override { pool_.disarm_wake(); }
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
  ThreadPool pool_;
  Capabilities capabilities_;
  size_t in_flight_ = 0;
  Request* finished_ = nullptr;  // taken from the pool, not yet handed out
};

}  // namespace ioengine
