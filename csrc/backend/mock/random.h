// A small seeded generator (splitmix64) for everything that has to be repeatable: the mock backend and the
// tests.
#pragma once

#include <cstdint>

namespace ioengine {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t value = state_;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
  }
  // 0 <= result < bound; bound > 0.
  uint64_t below(uint64_t bound) { return next() % bound; }
  // first <= result <= last
  uint64_t between(uint64_t first, uint64_t last) { return first + below(last - first + 1); }
  bool chance(uint32_t permille) { return below(1000) < permille; }

 private:
  uint64_t state_;
};

}  // namespace ioengine
