// A backend without a kernel: completions come late, out of order, short or failing, as a seed or a script
// says. Used by the native tests alone, never chosen by the factory. It also checks what the scheduler hands
// it: a broken contract ends the program.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "backend/backend.h"
#include "backend/mock/mock_disk.h"
#include "backend/mock/random.h"

namespace ioengine {

// What the n-th transfer or control operation results in, instead of what it would do.
struct MockOutcome {
  int32_t error = 0;              // errno, nothing is moved
  uint64_t bytes = ~uint64_t{0};  // moves at most this many
};

// Ways to be a broken backend, so that the tests can be tested.
enum class MockDefect : uint8_t {
  kNone,
  kWrongByte,          // one byte of a read is changed
  kLostCompletion,     // one operation never comes back
  kDoubleCompletion,   // one comes back twice
  kShortReportedFull,  // moves one byte less than it says
  kEarlyCompletion,  // says that a write is done and takes the bytes later: the memory may be someone else's
  kUncounted,        // one is no longer counted as in flight while it is
};

struct MockOptions {
  uint64_t seed = 1;
  uint32_t depth = 16;
  bool buffered_reads = true;
  bool buffered_writes = true;
  bool serves_at_submit = false;
  uint32_t delay_rounds_max = 3;  // an operation is due after 0 to this many calls of reap()
  bool reorder = true;
  bool held = false;  // nothing completes before release()
  // Chances in 1/1000, per operation or per submit().
  uint32_t short_permille = 0;  // at a multiple of the alignment for O_DIRECT, else anywhere
  uint32_t eio_permille = 0;
  uint32_t eagain_permille = 0;
  uint32_t eintr_permille = 0;
  uint32_t eopnotsupp_permille = 0;
  uint32_t partial_submit_permille = 0;
  uint32_t refused_submits = 0;  // the first so many calls of submit() take nothing
  uint32_t submit_sleep_us = 0;  // every call of submit() with something to take sleeps, as it should not
  // As a kernel that wakes up: arm_wake() tells only what is due, the rest completes by tick(), which writes
  // to this eventfd. -1: the owner has to look again and again.
  int wake_fd = -1;
  MockDefect defect = MockDefect::kNone;
  uint32_t defect_at = 10;  // which operation (of those it applies to) is the broken one
};

class MockBackend final : public IoBackend {
 public:
  // What a request looked like when it was taken.
  struct Taken {
    Operation operation;
    int fd;
    uint64_t offset;
    uint64_t bytes;
    uint32_t vector_count;
    uint32_t flags;
  };

  MockBackend(MockDisk* disk, const MockOptions& options);
  ~MockBackend() override;

  BackendType type() const override { return BackendType::kMock; }
  const Capabilities& capabilities() const override { return capabilities_; }
  size_t submit(Request* const* requests, size_t count) override;
  size_t reap(Completion* into, size_t capacity) override;
  size_t in_flight() const override { return in_flight_.size() + lost_ + doubled_.size() - uncounted_; }
  bool arm_wake() override;
  void disarm_wake() override { armed_ = false; }

  // Outcomes for the next operations, in the order they are taken; random ones follow.
  void script(const MockOutcome& outcome) { script_.push_back(outcome); }
  // Completes everything taken so far at the next reap(), and what comes later as usual.
  void release() { options_.held = false; }
  void hold() { options_.held = true; }
  // With `wake_fd`: the device gets on.
  void tick();
  void refuse_submits(uint32_t count) { options_.refused_submits = count; }

  const std::vector<Taken>& taken() const { return taken_; }
  size_t in_flight_max() const { return in_flight_max_; }
  size_t submits() const { return submits_; }

 private:
  struct Operational {
    Request* request;
    uint32_t generation;
    uint64_t due_round;
    MockOutcome outcome;
  };

  // A write that was completed early.
  struct Late {
    int fd;
    uint64_t offset;
    std::vector<iovec> vectors;
    uint64_t due_round;
  };

  void check_contract(const Request* request) const;
  MockOutcome draw(const Request* request);
  int32_t run(const Operational& operation);
  int32_t transfer(Request* request, const MockOutcome& outcome);
  bool is_the_broken_one(MockDefect defect);
  bool has_due() const;
  bool completes_early(const Request* request);
  void run_late();

  MockDisk* const disk_;
  MockOptions options_;
  Capabilities capabilities_;
  Random random_;
  std::deque<MockOutcome> script_;
  std::vector<Operational> in_flight_;
  std::vector<Taken> taken_;
  std::vector<Completion> doubled_;
  uint64_t round_ = 0;
  size_t in_flight_max_ = 0;
  size_t submits_ = 0;
  size_t lost_ = 0;
  size_t uncounted_ = 0;
  const Request* uncounted_request_ = nullptr;
  bool armed_ = false;
  std::vector<Late> late_;
  uint32_t candidates_ = 0;
};

}  // namespace ioengine
