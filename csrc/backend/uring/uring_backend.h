// io_uring through liburing. The SQE is copied by the kernel at submission, so nothing of a request stays
// here.
#pragma once

#include <liburing.h>

#include "backend/backend.h"

namespace ioengine {

class UringBackend final : public IoBackend {
 public:
  // Creates the ring, asks for its opcodes and registers `wake_fd` (an eventfd the caller keeps open).
  // errno values and what they mean: io_uring_setup(2).
  static BackendResult create(uint32_t depth, int wake_fd);

  ~UringBackend() override;

  BackendType type() const override { return BackendType::kUring; }
  const Capabilities& capabilities() const override { return capabilities_; }
  size_t submit(Request* const* requests, size_t count) override;
  size_t reap(Completion* into, size_t capacity) override;
  size_t in_flight() const override { return in_flight_; }
  bool given_up() const override { return given_up_; }
  bool arm_wake() override;
  void disarm_wake() override;

 private:
  UringBackend() = default;
  void prepare(io_uring_sqe* sqe, Request* request);
  void push();
  void give_up_unsubmitted();
  bool run_task_work();

  io_uring ring_ = {};
  Capabilities capabilities_;
  size_t in_flight_ = 0;
  size_t kernel_owned_ = 0;       // consumed by the kernel, completion not reaped
  uint32_t submit_failures_ = 0;  // consecutive
  Request* refused_ = nullptr;    // taken back from a ring that no longer accepts anything
  bool wake_armed_ = true;
  bool given_up_ = false;
  uint32_t look_failures_ = 0;  // consecutive
};

}  // namespace ioengine
