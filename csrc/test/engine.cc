#include "test/engine.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "backend/factory.h"
#include "base/clock.h"
#include "jobs/path_job.h"
#include "scheduler/staging.h"
#include "test/check.h"

namespace ioengine::test {

Engine::Engine(const MockOptions& options, bool wakes) {
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  MockOptions with_wake = options;
  if (wakes) with_wake.wake_fd = wake_fd_;
  auto backend = std::make_unique<MockBackend>(&disk_, with_wake);
  mock_ = backend.get();
  context_ = std::make_unique<IoContext>(std::move(backend), wake_fd_);
}

Engine::Engine(BackendType type, uint32_t depth) {
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  Choice choice = create_backend(depth, type, wake_fd_);
  reason_ = choice.reason;
  if (choice.result.backend) {
    context_ = std::make_unique<IoContext>(std::move(choice.result.backend), wake_fd_);
  }
}

Engine::~Engine() {
  if (context_) {
    until_idle();
    end();
  }
  ::close(wake_fd_);
}

void Engine::end() {
  context_->drain();
  deliver();
  CHECK_EQ(outstanding_.size(), 0u);
  CHECK_EQ(context_->unsettled(), 0u);
  CHECK_EQ(context_->in_flight(), 0u);
  context_.reset();
}

int Engine::create(uint64_t size, uint64_t size_max, uint32_t alignment) {
  const int fd = disk_.create(size, size_max);
  context_->adopt(fd, disk_.facts(fd, alignment));
  return fd;
}

void Engine::put_on_device(int fd, uint32_t alignment, DeviceTags* tags) {
  FileFacts facts = disk_.facts(fd, alignment);
  facts.tags = tags;
  context_->adopt(fd, facts);
}

int Engine::open(const std::string& path, int flags) {
  auto* job = new OpenJob();
  job->path = path;
  job->flags = flags;
  job->mode = 0600;
  const auto ticket = accepted(context_->open(job, 0), nullptr);
  until_settled(ticket);
  return ticket->result;
}

void Engine::open_for_later(const std::string& path, int flags) {
  auto* job = new OpenJob();
  job->path = path;
  job->flags = flags;
  accepted(context_->open(job, 0), nullptr);
}

std::shared_ptr<Ticket> Engine::accepted(int32_t answer, OnSettled on_settled, OnFound on_found) {
  auto ticket = std::make_shared<Ticket>();
  if (answer > kAcceptedBase) {
    ticket->inline_answer = true;
    settle(ticket, on_settled, answer);
    return ticket;
  }
  const auto slot = static_cast<uint32_t>(kAcceptedBase - answer);
  const bool fresh =
      outstanding_.emplace(slot, Outstanding{ticket, std::move(on_settled), std::move(on_found)}).second;
  CHECK(fresh);  // the slot belongs to a request that has not been delivered
  return ticket;
}

void Engine::settle(const std::shared_ptr<Ticket>& ticket, const OnSettled& on_settled, int32_t result) {
  CHECK(!ticket->settled);
  ticket->settled = true;
  ticket->result = result;
  ticket->order = ++settled_count_;
  if (on_settled) on_settled(*ticket);
}

std::shared_ptr<Ticket> Engine::read(int fd, void* memory, uint64_t bytes, int64_t position, uint32_t flags) {
  return transfer(Operation::kRead, fd, {{memory, bytes}}, position, flags);
}

std::shared_ptr<Ticket> Engine::write(int fd, const void* memory, uint64_t bytes, int64_t position,
                                      uint32_t flags) {
  return transfer(Operation::kWrite, fd, {{const_cast<void*>(memory), bytes}}, position, flags);
}

std::shared_ptr<Ticket> Engine::transfer(Operation operation, int fd, const std::vector<iovec>& vectors,
                                         int64_t position, uint32_t flags, OnSettled on_settled) {
  uint64_t bytes = 0;
  for (const iovec& vector : vectors) bytes += vector.iov_len;
  return accepted(context_->transfer(operation, fd, vectors.data(), static_cast<uint32_t>(vectors.size()),
                                     bytes, position, flags),
                  std::move(on_settled));
}

std::shared_ptr<Ticket> Engine::control(Operation operation, int fd, uint64_t length, OnSettled on_settled) {
  return accepted(context_->control(operation, fd, length, 0), std::move(on_settled));
}

std::shared_ptr<Ticket> Engine::close(int fd, uint32_t flags) {
  return accepted(context_->close(fd, flags), nullptr);
}

std::shared_ptr<Ticket> Engine::run_in_pool(Operation operation, std::unique_ptr<PathJob> job,
                                            OnFound on_found) {
  return accepted(context_->run_in_pool(operation, std::move(job), 0), nullptr, std::move(on_found));
}

// Each delivery stands for a turn of an event loop, its check phase included.
void Engine::deliver() {
  context_->start_check_phase();
  deliver_finished();
}

void Engine::deliver_finished() {
  while (Request* request = context_->take_finished()) {
    const auto found = outstanding_.find(request->slot);
    CHECK(found != outstanding_.end());  // settled twice, or never accepted
    const Outstanding settled = std::move(found->second);
    outstanding_.erase(found);
    const int32_t result = request->result;
    if (request->staging != nullptr && result > 0) copy_staged(request);
    if (settled.on_found) settled.on_found(request->job, result);
    context_->give_back(request);
    settle(settled.ticket, settled.on_settled, result);
  }
}

void Engine::turn() {
  context_->start_turn();
  context_->disarm_wake();
  for (int i = 0; i < 8 && context_->round(); ++i) deliver();
  deliver();
}

bool Engine::sleep_and_turn(int timeout_ms) {
  bool woke_up = true;
  if (!context_->has_local_work() && !context_->arm_wake()) {
    pollfd wake_up = {wake_fd_, POLLIN, 0};
    woke_up = poll(&wake_up, 1, timeout_ms) == 1;
    eventfd_t count;
    eventfd_read(wake_fd_, &count);
  }
  turn();
  return woke_up;
}

void Engine::until(const std::function<bool()>& done) {
  uint64_t last_progress_ns = monotonic_ns();
  uint64_t last_settled = settled_count_;
  while (!done()) {
    sleep_and_turn(100);
    if (settled_count_ != last_settled) {
      last_settled = settled_count_;
      last_progress_ns = monotonic_ns();
    }
    if (monotonic_ns() - last_progress_ns > static_cast<uint64_t>(stuck_ms_) * 1000000u) {
      fail(__FILE__, __LINE__,
           "no progress for " + std::to_string(stuck_ms_) + " ms with " +
               std::to_string(outstanding_.size()) + " operations outstanding, " +
               std::to_string(context_->in_flight()) + " in flight");
    }
  }
}

void Engine::until_settled(const std::shared_ptr<Ticket>& ticket) {
  until([&ticket] { return ticket->settled; });
}

void Engine::until_idle() {
  until([this] { return outstanding_.empty(); });
}

uint8_t pattern(uint64_t tag, uint64_t at) {
  uint64_t value = (tag + 1) * 0x9e3779b97f4a7c15u ^ at * 0xd6e8feb86659fd93u;
  value ^= value >> 32;
  return static_cast<uint8_t>(value ^ value >> 8);
}

GuardedBuffer::GuardedBuffer(size_t size, size_t misalignment) : size_(size) {
  const size_t front = 4096 + misalignment;
  CHECK(misalignment < 4096);
  CHECK(posix_memalign(&allocation_, 4096, front + size + kCanary) == 0);
  std::memset(allocation_, kUntouched, front + size + kCanary);
  data_ = static_cast<uint8_t*>(allocation_) + front;
}

GuardedBuffer::~GuardedBuffer() {
  check_canaries();
  std::free(allocation_);
}

void GuardedBuffer::fill(uint64_t tag, uint64_t at) {
  for (size_t i = 0; i < size_; ++i) data_[i] = pattern(tag, at + i);
}

void GuardedBuffer::check_canaries() const {
  static const std::vector<uint8_t> untouched(kCanary, kUntouched);
  CHECK(std::memcmp(data_ - kCanary, untouched.data(), kCanary) == 0);
  CHECK(std::memcmp(data_ + size_, untouched.data(), kCanary) == 0);
}

void GuardedBuffer::check_untouched(size_t from) const {
  for (size_t i = from; i < size_; ++i) CHECK_EQ(data_[i], kUntouched);
}

}  // namespace ioengine::test
