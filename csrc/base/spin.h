// Whether a short wait is worth spinning for. Where a processor is free for the thread that is waited for, it
// is: to wake a sleeping processor up takes longer than the wait. Where there is none, spinning keeps them
// from running, and fails: then it is tried ever more rarely.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/limits.h"

namespace ioengine {

class SpinPolicy {
 public:
  // Whether to spin now. To be called before each wait that might be short.
  bool tries() {
    if (left_out_ == 0) return true;
    --left_out_;
    return false;
  }
  void learn(bool came) {
    penalty_ = came ? penalty_ / 2 : std::min(penalty_ * 2 + 1, limits::spins_left_out_max);
    if (!came) left_out_ = penalty_;
  }

 private:
  uint32_t penalty_ = 0;
  uint32_t left_out_ = 0;
};

}  // namespace ioengine
