// The place of a ring or an AIO context that nothing has needed yet. Most programs never do: what is cached,
// calls on paths and jobs of the pool go without. The scheduler makes the real one for the first request that
// is to go to it (docs/decisions/0014-made-when-needed.md).
#pragma once

#include "backend/backend.h"
#include "base/check.h"

namespace ioengine {

class DeferredBackend final : public IoBackend {
 public:
  // `type` is allowed by the kernel, as far as could be found out. What is `forced` has been made and given
  // back once; else those before it are not available, as `skipped` tells.
  DeferredBackend(BackendType type, bool forced, const std::string& skipped, uint32_t depth, int wake_fd);

  BackendType type() const override { return type_; }
  const Capabilities& capabilities() const override { return capabilities_; }
  bool is_deferred() const override { return true; }
  bool given_up() const override { return given_up_; }

  // The real one. Null: the pool has to serve. For now, where memory or descriptors are short; else the next
  // kind that is allowed has taken the place of the one that could not be made, or, with none left or where
  // it was asked for by name, this backend has given up.
  std::unique_ptr<IoBackend> make();

  size_t submit(Request* const*, size_t) override {
    IOE_CHECK(!"nothing is submitted to a backend that is not made");
    return 0;
  }
  size_t reap(Completion*, size_t) override { return 0; }
  size_t in_flight() const override { return 0; }
  bool arm_wake() override { return false; }
  void disarm_wake() override {}

 private:
  bool passes(const BackendResult& failure) const;
  void take_next();

  BackendType type_;
  const bool forced_;
  std::string skipped_;
  const uint32_t depth_;
  const int wake_fd_;
  Capabilities capabilities_;
  bool given_up_ = false;
  uint64_t not_before_ns_ = 0;
};

}  // namespace ioengine
