// io_uring through liburing. The SQE is copied by the kernel at submission, so nothing of a request stays
// here.
#pragma once

#include <liburing.h>
#include <sys/types.h>

#include <vector>

#include "backend/backend.h"
#include "backend/uring/ring_release.h"
#include "base/limits.h"
#include "base/refusals.h"

namespace ioengine {

class UringBackend final : public IoBackend {
 public:
  // Creates the ring, probes its opcodes and registers `wake_fd` (an eventfd the caller keeps open).
  // errno values and what they mean: io_uring_setup(2).
  static BackendResult create(uint32_t depth, int wake_fd);
  // Whether the kernel lets this process use io_uring, found out without making a ring.
  static BackendResult probe();
  // What a ring of a current kernel can do: until there is one nobody knows better.
  static Capabilities expected(uint32_t depth);

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
  UringBackend();
  void prepare(io_uring_sqe* sqe, Request* request);
  uint64_t take_place(Request* request);
  Request* leave_place(uint64_t user_data);
  void push();
  void take_back_unsubmitted();
  bool run_task_work();
  size_t take_posted(Completion* into, size_t capacity);
  bool owns_number() const;
  bool has_task_work() const { return (IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_TASKRUN) != 0; }
  void close_ring();
  void settle_released();
  bool is_released();

  io_uring ring_ = {};
  bool is_open_ = false;
  dev_t device_ = 0;  // with inode_, which file the ring's descriptor is
  ino_t inode_ = 0;
  int wake_fd_ = -1;
  Capabilities capabilities_;
  Request* places_[limits::depth] = {};  // what is in the ring, by the low half of user_data
  uint32_t free_places_[limits::depth];
  size_t free_count_ = 0;
  size_t in_flight_ = 0;
  size_t kernel_owned_ = 0;           // consumed by the kernel, completion not reaped
  std::vector<Completion> returned_;  // by a ring that refuses, to be handed out by reap()
  bool wake_armed_ = true;
  bool given_up_ = false;
  Refusals submit_refusals_;
  Refusals look_refusals_;
  RingRelease release_;
  bool announced_ = false;
};

}  // namespace ioengine
