// The ring: a depth of 4 under a burst (H6), errors of single requests, and a wake-up that never loses a
// completion, on the rings of older kernels too. Failures of io_uring_enter: uring_refused_test.cc.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "backend/mock/random.h"
#include "backend/uring/uring_backend.h"
#include "test/bare_backend.h"
#include "test/check.h"
#include "test/engine.h"
#include "test/ring_faults.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

int file_with_pattern(uint64_t size) {
  const int fd = open((temporary_folder() + "/ring").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  std::vector<uint8_t> content(size);
  for (uint64_t i = 0; i < size; ++i) content[i] = pattern(1, i);
  CHECK_EQ(pwrite(fd, content.data(), size, 0), static_cast<ssize_t>(size));
  return fd;
}

// Ten times the depth, waiting on workers of the kernel or served at submit.
void burst(int fd, uint32_t depth, uint32_t flags) {
  set_context("a burst with depth " + std::to_string(depth) + ", flags " + std::to_string(flags));
  BareBackend ring(UringBackend::create, depth);
  const uint32_t count = depth * 10;
  GuardedBuffer buffer(count * 16);
  std::vector<Request*> requests;
  for (uint32_t i = 0; i < count; ++i) {
    requests.push_back(ring.make(Operation::kRead, fd, buffer.data() + i * 16, 16, i * 16, flags));
  }
  ring.submit_all(requests);
  ring.finish();
  CHECK_EQ(ring.completed(), count);
  for (const Request* request : requests) CHECK_EQ(request->result, 16);
  for (uint64_t i = 0; i < buffer.size(); ++i) CHECK_EQ(buffer.data()[i], pattern(1, i));
}

void errors_come_back_one_by_one(int fd) {
  set_context("errors of single requests");
  BareBackend ring(UringBackend::create, 8);
  uint8_t bytes[4] = {};
  Request* good = ring.make(Operation::kRead, fd, bytes, 1, 0);
  Request* bad = ring.make(Operation::kRead, 987654, bytes + 1, 1, 0);
  Request* last = ring.make(Operation::kRead, fd, bytes + 2, 1, 2);
  Request* sync = ring.make(Operation::kFsync, fd, nullptr, 0, 0, kFlagMayWait);
  ring.submit_all({good, bad, last, sync});
  ring.finish();
  CHECK_EQ(good->result, 1);
  CHECK_EQ(bad->result, -EBADF);
  CHECK_EQ(last->result, 1);
  CHECK_EQ(sync->result, 0);
}

// Arm, sleep, drain, again and again, with completions that come at random moments around the arming: a pipe
// that is written to right before, after or a little later.
void the_wake_up_never_loses_a_completion(const std::string& kind) {
  set_context("the wake-up of " + kind);
  BareBackend ring(UringBackend::create, 8);
  int ends[2];
  CHECK(pipe2(ends, O_CLOEXEC) == 0);
  Random random(5);
  uint8_t byte = 0;
  for (int i = 0; i < 3000; ++i) {
    Request* request = ring.make(Operation::kRead, ends[0], &byte, 1, 0,
                                 kFlagCurrentPosition | (random.chance(300) ? kFlagMayWait : 0u));
    ring.submit_all({request});
    const uint8_t value = static_cast<uint8_t>(i);
    const uint64_t when = random.below(3);
    if (when == 0) CHECK_EQ(write(ends[1], &value, 1), 1);
    ring->disarm_wake();
    ring.reap();
    if (when == 1) CHECK_EQ(write(ends[1], &value, 1), 1);
    const bool look_again = ring->in_flight() > 0 && ring->arm_wake();
    if (when == 2) CHECK_EQ(write(ends[1], &value, 1), 1);
    if (ring->in_flight() > 0 && !look_again) {
      pollfd wake_up = {ring.wake_fd(), POLLIN, 0};
      if (poll(&wake_up, 1, kWakeUp_ms) != 1)
        fail(__FILE__, __LINE__, "round " + std::to_string(i) + ": no wake-up");
      uint64_t count;
      CHECK_EQ(read(ring.wake_fd(), &count, sizeof(count)), static_cast<ssize_t>(sizeof(count)));
    }
    ring.finish();
    CHECK_EQ(request->result, 1);
    CHECK_EQ(byte, value);
  }
  CHECK_EQ(ring.completed(), 3000u);
  close(ends[0]);
  close(ends[1]);
}

// Rings of older kernels, where a worker of the kernel posts a completion while this thread arms the wake-up.
void older_rings(int fd) {
  const struct {
    unsigned unknown;
    const char* name;
  } kKinds[] = {{IORING_SETUP_DEFER_TASKRUN, "a ring without IORING_SETUP_DEFER_TASKRUN"},
                {IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN, "a plain ring"}};
  for (const auto& kind : kKinds) {
    ring_faults.unknown_setup_flags = kind.unknown;
    CHECK(!BareBackend(UringBackend::create, 4)->capabilities().single_issuer);
    the_wake_up_never_loses_a_completion(kind.name);
    burst(fd, 4, 0);
    burst(fd, 64, kFlagMayWait);
  }
  ring_faults = RingFaults();
}

// One io_uring_enter runs no more than 20 task works, and those of 40 reads that find nothing after all post
// no completion: the one behind them must neither be missed nor slept through.
void work_that_is_left_rings() {
  set_context("more task work than one look runs");
  BareBackend ring(UringBackend::create, 64);
  int empty[2], filled[2];
  CHECK(pipe2(empty, O_CLOEXEC) == 0 && pipe2(filled, O_CLOEXEC) == 0);
  uint8_t bytes[41] = {};
  std::vector<Request*> in_vain;
  for (int i = 0; i < 40; ++i)
    in_vain.push_back(ring.make(Operation::kRead, empty[0], bytes + i, 1, 0, kFlagCurrentPosition));
  ring.submit_all(in_vain);
  Request* read = ring.make(Operation::kRead, filled[0], bytes + 40, 1, 0, kFlagCurrentPosition);
  ring.submit_all({read});
  ring->disarm_wake();
  // Woken up by a byte that is gone when they look.
  uint8_t byte = 9;
  CHECK_EQ(write(empty[1], &byte, 1), 1);
  CHECK_EQ(::read(empty[0], &byte, 1), 1);
  CHECK_EQ(write(filled[1], &byte, 1), 1);
  while (ring.completed() == 0) {
    CHECK(ring.wait_for_wake_up(kWakeUp_ms));
    ring->disarm_wake();
    ring.reap();
  }
  CHECK_EQ(read->result, 1);
  CHECK_EQ(write(empty[1], bytes, 40), 40);
  ring.finish();
  for (int end : {empty[0], empty[1], filled[0], filled[1]}) close(end);
}

void disarmed_it_is_silent(int fd) {
  set_context("a wake-up that is off");
  BareBackend ring(UringBackend::create, 8);
  ring->disarm_wake();
  uint8_t byte;
  ring.submit_all({ring.make(Operation::kRead, fd, &byte, 1, 0)});
  pollfd wake_up = {ring.wake_fd(), POLLIN, 0};
  CHECK_EQ(poll(&wake_up, 1, 30), 0);
  ring.finish();
}

// The first request of an idle engine of depth 4, and everything behind it.
void engine_with_depth_four() {
  set_context("an engine with a ring of 4");
  Engine engine(BackendType::kUring, 4);
  const int fd = engine.open(temporary_folder() + "/ring", O_RDONLY);
  GuardedBuffer buffer(4000);
  std::vector<std::shared_ptr<Ticket>> tickets;
  for (int i = 0; i < 400; ++i) {
    tickets.push_back(engine.read(fd, buffer.data() + i * 10, 10, i * 10, kFlagMayWait | kFlagCallback));
    CHECK(engine->backend().in_flight() <= 4);
  }
  engine.until_idle();
  for (const auto& ticket : tickets) CHECK_EQ(ticket->result, 10);
  for (uint64_t i = 0; i < 4000; ++i) CHECK_EQ(buffer.data()[i], pattern(1, i));
  CHECK_EQ(engine->statistics().lanes[static_cast<size_t>(Lane::kUring)].operations, 400u);
  engine.until_settled(engine.close(fd));
}

}  // namespace

int main() {
  {
    BareBackend ring(UringBackend::create, 4);
    if (!ring.ok()) return skipped(ring.result().cause);
    CHECK(ring->capabilities().serves(Operation::kRead) && ring->capabilities().serves(Operation::kFsync));
    CHECK(!ring->capabilities().serves(Operation::kClose));
  }
  const int fd = file_with_pattern(100000);
  for (uint32_t depth : {1u, 4u, 256u}) {
    burst(fd, depth, 0);
    burst(fd, depth, kFlagMayWait);
  }
  errors_come_back_one_by_one(fd);
  the_wake_up_never_loses_a_completion("a ring");
  older_rings(fd);
  work_that_is_left_rings();
  disarmed_it_is_silent(fd);
  engine_with_depth_four();
  close(fd);
  return 0;
}
