// Threads under a schedule: while a Simulation lives, the threads that its program starts run one at a time,
// and a seed says which one is next whenever one takes or gives back a lock, waits, or makes a system call of
// the engine's. So the pool that is tested is the real one, and a run can be repeated. Time is simulated as
// well: it passes with each look at the clock. Nobody waits for it: where no thread can run and the device
// has nothing to say, a wake-up has been lost.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace ioengine::test {

class Simulation {
 public:
  // `device` gets on when it is called: when no thread can run, and now and then.
  Simulation(uint64_t seed, std::function<void()> device);
  // Every thread has ended by now.
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // What has been decided so far, as a number: equal where two runs are the same.
  uint64_t digest() const;
  uint64_t switches() const;
  // Mixes something that the test has seen into the digest.
  void note(uint64_t value);
};

}  // namespace ioengine::test
