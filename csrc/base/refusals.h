// Refusals of a system call in a row. Memory that runs short, a signal, a queue that is full: they pass, so a
// kernel queue is given up only when they do not. Until then others serve what it does not take.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/limits.h"

namespace ioengine {

class Refusals {
 public:
  void add() {
    if (count_++ == 0) since_ns_ = monotonic_ns();
  }
  void clear() { count_ = 0; }

  // Enough not to let a request wait for the next attempt.
  bool are_many() const { return count_ >= limits::submit_failures; }
  // For so long that they will not pass.
  bool last() const { return are_many() && monotonic_ns() - since_ns_ >= limits::refused_ns; }

 private:
  uint64_t count_ = 0;
  uint64_t since_ns_ = 0;
};

}  // namespace ioengine
