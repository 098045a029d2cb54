// Linux native AIO: io_submit(2) for O_DIRECT requests, completions through an eventfd and the mapped ring.
// io_submit(2) waits for a good deal itself. The scheduler keeps from it buffered misses, extending writes
// and large requests (H16), and more requests than the device has tags. RWF_NOWAIT, on every direct request,
// keeps it from the inode lock and from dirty pages (H32). What is left: ext4 may wait for the journal to
// update a file's times, and other processes may hold the tags. Both are found out by the clock
// (docs/decisions/0011).
#pragma once

#include "backend/aio/aio_abi.h"
#include "backend/backend.h"
#include "base/limits.h"
#include "base/refusals.h"

namespace ioengine {

class AioBackend final : public IoBackend {
 public:
  // io_setup(2) with `depth` events. `wake_fd` is an eventfd that the caller keeps open.
  static BackendResult create(uint32_t depth, int wake_fd);
  // Whether a context of so many events could be had now, found out without making one: a process that has
  // one takes 40 ms more to end.
  static BackendResult probe(uint32_t depth);
  static Capabilities capabilities_of(uint32_t depth);

  ~AioBackend() override;

  BackendType type() const override { return BackendType::kAio; }
  const Capabilities& capabilities() const override { return capabilities_; }
  size_t submit(Request* const* requests, size_t count) override;
  size_t reap(Completion* into, size_t capacity) override;
  size_t in_flight() const override { return in_flight_; }
  bool arm_wake() override;
  bool given_up() const override { return given_up_; }
  void disarm_wake() override {}  // IOCB_FLAG_RESFD cannot be switched off for a submitted iocb

 private:
  AioBackend() = default;
  void prepare(Request* request);
  void push();
  size_t reap_ring(Completion* into, size_t capacity);
  size_t reap_call(Completion* into, size_t capacity);
  size_t forget_unsignalled(const Completion* reaped, size_t count);

  aio_context_t context_ = 0;
  aio::Ring* ring_ = nullptr;  // null where the ring is not in the layout we know: io_getevents(2) instead
  int wake_fd_ = -1;
  Capabilities capabilities_;
  size_t in_flight_ = 0;
  size_t kernel_owned_ = 0;
  size_t unsignalled_ = 0;  // of those in flight, cached reads, which do not write to the eventfd

  iocb* pending_[limits::depth] = {};  // prepared and not yet consumed by the kernel, in order
  size_t pending_count_ = 0;
  Completion refused_[limits::depth] = {};
  size_t refused_count_ = 0;
  Refusals refusals_;
  bool given_up_ = false;
};

}  // namespace ioengine
