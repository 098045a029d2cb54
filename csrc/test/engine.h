// An engine on a test's own little event loop, which checks what every test relies on: each accepted request
// settles exactly once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "backend/mock/mock_backend.h"
#include "scheduler/context.h"

namespace ioengine::test {

// One accepted or answered operation.
struct Ticket {
  bool inline_answer = false;  // answered by the call itself
  bool settled = false;
  int32_t result = 0;
  uint64_t order = 0;  // the how-manieth to settle
};

class Engine {
 public:
  using OnSettled = std::function<void(const Ticket&)>;

  // What a call on a path has found, before the request is given back.
  using OnFound = std::function<void(PathJob*, int32_t result)>;

  // On the mock; `mock()` gives access to it. `wakes`: it wakes the engine up (MockOptions::wake_fd).
  explicit Engine(const MockOptions& options, bool wakes = false);
  // On a real backend, or a program that ends with kSkipped when the machine has none (ok() is false then).
  Engine(BackendType type, uint32_t depth);
  // Settles what is left and requires a clean engine, unless abandon() was called.
  ~Engine();

  bool ok() const { return context_ != nullptr; }
  const std::string& reason() const { return reason_; }
  IoContext* operator->() { return context_.get(); }
  MockBackend& mock() { return *mock_; }
  MockDisk& disk() { return disk_; }

  // A file on the mock disk that the engine knows.
  int create(uint64_t size, uint64_t size_max, uint32_t alignment = 1);
  // From here on the file counts as one on a device with these tags.
  void put_on_device(int fd, uint32_t alignment, DeviceTags* tags);
  // Opens a real file through the engine and waits for it.
  int open(const std::string& path, int flags);
  void open_for_later(const std::string& path, int flags);

  std::shared_ptr<Ticket> read(int fd, void* memory, uint64_t bytes, int64_t position, uint32_t flags = 0);
  std::shared_ptr<Ticket> write(int fd, const void* memory, uint64_t bytes, int64_t position,
                                uint32_t flags = 0);
  std::shared_ptr<Ticket> transfer(Operation operation, int fd, const std::vector<iovec>& vectors,
                                   int64_t position, uint32_t flags = 0, OnSettled on_settled = nullptr);
  std::shared_ptr<Ticket> control(Operation operation, int fd, uint64_t length = 0,
                                  OnSettled on_settled = nullptr);
  std::shared_ptr<Ticket> close(int fd, uint32_t flags = 0);
  std::shared_ptr<Ticket> run_in_pool(Operation operation, std::unique_ptr<PathJob> job,
                                      OnFound on_found = nullptr);

  // One turn of the loop: rounds until nothing is finished, and delivery. Does not wait.
  void turn();
  // Waits for the wake-up as the real loop does, then takes a turn. False when none came within the time.
  bool sleep_and_turn(int timeout_ms);
  // Turns until the condition holds; fails the test without progress for `stuck_ms`.
  void until(const std::function<bool()>& done);
  void until_settled(const std::shared_ptr<Ticket>& ticket);
  void until_idle();
  void set_stuck_ms(int milliseconds) { stuck_ms_ = milliseconds; }

  size_t outstanding() const { return outstanding_.size(); }
  uint64_t settled_count() const { return settled_count_; }
  // Requests that settled during a drain() have been finished by it.
  void deliver();
  // What may be delivered without a check phase.
  void deliver_finished();
  // Ends the context: drain, deliver, destroy.
  void end();

 private:
  struct Outstanding {
    std::shared_ptr<Ticket> ticket;
    OnSettled on_settled;
    OnFound on_found;
  };
  std::shared_ptr<Ticket> accepted(int32_t answer, OnSettled on_settled, OnFound on_found = nullptr);
  void settle(const std::shared_ptr<Ticket>& ticket, const OnSettled& on_settled, int32_t result);

  MockDisk disk_;
  MockBackend* mock_ = nullptr;
  int wake_fd_ = -1;
  std::unique_ptr<IoContext> context_;
  std::string reason_;
  std::unordered_map<uint32_t, Outstanding> outstanding_;  // by slot
  uint64_t settled_count_ = 0;
  int stuck_ms_ = 60000;  // a hang is meant, not a slow machine
};

// Bytes that depend on a tag and on where they are.
uint8_t pattern(uint64_t tag, uint64_t at);

// Memory with canaries on both sides, at a chosen distance from a 4096-byte boundary.
class GuardedBuffer {
 public:
  explicit GuardedBuffer(size_t size, size_t misalignment = 0);
  ~GuardedBuffer();
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  uint8_t* data() { return data_; }
  size_t size() const { return size_; }
  void fill(uint64_t tag, uint64_t at = 0);
  void check_canaries() const;
  // Nothing was written from `from` on.
  void check_untouched(size_t from) const;
  static constexpr uint8_t kUntouched = 0xc7;

 private:
  static constexpr size_t kCanary = 256;
  size_t size_;
  void* allocation_ = nullptr;
  uint8_t* data_ = nullptr;
};

}  // namespace ioengine::test
