// io_uring_enter fails after it has worked (docs/decisions/0012-closed-rings.md): for a while, and the ring
// goes on; for good, and what the ring has taken ends with the ring, in memory that nobody writes to any
// more.
#include <dirent.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <thread>

#include "backend/uring/uring_backend.h"
#include "base/clock.h"
#include "test/bare_backend.h"
#include "test/check.h"
#include "test/engine.h"
#include "test/ring_faults.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

constexpr uint64_t kSize = 400 * 1024;
constexpr uint64_t kBlock = 4096;

std::string path() { return temporary_folder() + "/refused"; }

int file_with_pattern() {
  const int fd = open(path().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  std::vector<uint8_t> content(kSize);
  for (uint64_t i = 0; i < kSize; ++i) content[i] = pattern(1, i);
  CHECK_EQ(pwrite(fd, content.data(), kSize, 0), static_cast<ssize_t>(kSize));
  return fd;
}

// From here on this thread may not use io_uring: what a late seccomp filter does.
void forbid_rings() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_enter, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_register, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
  };
  const sock_fprog filter = {sizeof(program) / sizeof(program[0]), program};
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

// Two pipes on which a read and a write wait: for ever, and whatever offset they have.
struct WaitingPipes {
  WaitingPipes() {
    CHECK(pipe2(empty, O_CLOEXEC) == 0 && pipe2(full, O_CLOEXEC | O_NONBLOCK) == 0);
    const std::vector<uint8_t> content(4096);
    while (::write(full[1], content.data(), content.size()) > 0) {
    }
    CHECK(fcntl(full[1], F_SETFL, 0) == 0);
  }
  ~WaitingPipes() {
    for (int fd : {empty[0], empty[1], full[0], full[1]}) close(fd);
  }
  int empty[2];
  int full[2];
};

// A ring with requests of each kind, of which nobody can hear any more once `refuse` has been called.
void what_is_in_a_refusing_ring(int fd, const std::function<void()>& refuse) {
  WaitingPipes pipes;
  BareBackend ring(UringBackend::create, 16);
  uint8_t bytes[4] = {77, 77, 77, 77};
  Request* read = ring.make(Operation::kRead, pipes.empty[0], bytes, 1, 5, kFlagMayWait);
  Request* moves = ring.make(Operation::kRead, pipes.empty[0], bytes + 1, 1, 0, kFlagCurrentPosition);
  Request* write = ring.make(Operation::kWrite, pipes.full[1], bytes, 1, 5, kFlagMayWait);
  Request* append = ring.make(Operation::kWrite, pipes.full[1], bytes, 1, 0, kFlagMayWait | kFlagAppend);
  CHECK_EQ(pwrite(fd, bytes, 1, kSize), 1);
  Request* sync = ring.make(Operation::kFsync, fd, nullptr, 0, 0, kFlagMayWait);
  ring.submit_all({read, moves, write, append, sync});
  refuse();
  Request* unseen = ring.make(Operation::kRead, fd, bytes + 2, 1, 0);
  const bool taken = ring->submit(&unseen, 1) == 1;
  ring.finish();
  CHECK_EQ(ring.completed(), taken ? 6u : 5u);
  CHECK(ring->given_up());
  CHECK_EQ(read->result, -ECANCELED);
  CHECK_EQ(moves->result, -EIO);
  CHECK_EQ(write->result, -ECANCELED);
  CHECK_EQ(append->result, -EIO);
  CHECK(sync->result == -EIO || sync->result == 0);  // it may have ended before
  if (taken) CHECK_EQ(unseen->result, -ECANCELED);
  CHECK_EQ(ring->submit(&unseen, 1), 0u);
  // The kernel has let go: a byte that comes now stays in the pipe.
  const uint8_t byte = 5;
  CHECK_EQ(::write(pipes.empty[1], &byte, 1), 1);
  pollfd readable = {pipes.empty[0], POLLIN, 0};
  CHECK_EQ(poll(&readable, 1, 50), 1);
  for (uint8_t untouched : bytes) CHECK_EQ(untouched, 77);
}

void requests_end_with_the_ring(int fd) {
  for (int error : {EPERM, ENOSYS, EBADF, EOPNOTSUPP, EINTR, ENOMEM, EAGAIN, EBUSY}) {
    set_context("io_uring_enter fails for good with " + std::to_string(error));
    what_is_in_a_refusing_ring(fd, [error] { ring_faults.fail(error); });
    ring_faults = RingFaults();
  }
}

void requests_end_under_a_late_filter(int fd) {
  set_context("a late seccomp filter");
  std::thread([fd] { what_is_in_a_refusing_ring(fd, forbid_rings); }).join();
}

// The number of the newest ring of this process.
int ring_number() {
  int newest = -1;
  DIR* folder = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(folder)) {
    char target[64] = {};
    const std::string link = std::string("/proc/self/fd/") + entry->d_name;
    if (readlink(link.c_str(), target, sizeof(target) - 1) < 0) continue;
    if (std::string(target) == "anon_inode:[io_uring]") newest = std::max(newest, atoi(entry->d_name));
  }
  closedir(folder);
  return newest;
}

// Somebody closes the ring's descriptor by its number, which another file has then: no ring at all, or one.
void a_stolen_number(int fd) {
  for (bool with_ring : {false, true}) {
    set_context(with_ring ? "the ring's number is another ring's" : "the ring's number is another file's");
    io_uring other = {};
    if (with_ring) CHECK(io_uring_queue_init(4, &other, 0) == 0);
    int number = -1;
    what_is_in_a_refusing_ring(fd, [&] {
      number = ring_number();
      CHECK(dup2(with_ring ? other.ring_fd : fd, number) == number);
    });
    CHECK(fcntl(number, F_GETFD) >= 0);  // not ours to close
    close(number);
    if (with_ring) io_uring_queue_exit(&other);
  }
}

void errors_that_pass(int fd) {
  for (int error : {EINTR, ENOMEM, EAGAIN, EBUSY}) {
    set_context("io_uring_enter fails for a while with " + std::to_string(error));
    BareBackend ring(UringBackend::create, 16);
    GuardedBuffer memory(kBlock);
    Request* read = ring.make(Operation::kRead, fd, memory.data(), kBlock, 0, kFlagMayWait);
    ring.submit_all({read});
    ring_faults.fail(error, 500);
    Request* next = ring.make(Operation::kRead, fd, memory.data(), kBlock, 0, kFlagMayWait);
    ring.submit_all({next});
    ring.finish();
    CHECK_EQ(ring_faults.times, 0u);
    CHECK_EQ(read->result, static_cast<int32_t>(kBlock));
    CHECK_EQ(next->result, -ECANCELED);  // others serve it meanwhile
    CHECK(!ring->given_up());
    Request* last = ring.make(Operation::kRead, fd, memory.data(), kBlock, 0, kFlagMayWait);
    ring.submit_all({last});
    ring.finish();
    CHECK_EQ(last->result, static_cast<int32_t>(kBlock));
    ring_faults = RingFaults();
  }
}

uint64_t thread_time_ns() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

// Everything that an engine has accepted settles, whatever the ring had of it.
void an_engine_goes_on(const std::function<void()>& refuse, bool at_once) {
  Engine engine(BackendType::kUring, 64);
  const int fd = engine.open(path(), O_RDWR | O_DIRECT);
  if (fd < 0) return;
  const int buffered = engine.open(path(), O_RDWR);
  GuardedBuffer memory(kBlock * 50);
  GuardedBuffer source(kBlock * 50);
  source.fill(1, 50 * kBlock);
  for (int i = 0; i < 3; ++i) engine.until_settled(engine.read(fd, memory.data(), kBlock, 0));
  std::vector<std::shared_ptr<Ticket>> reads, writes;
  const auto ask = [&] {
    for (uint32_t i = 0; i < 50; ++i) {
      const auto at = static_cast<int64_t>(i * kBlock);
      reads.push_back(engine.read(fd, memory.data() + i * kBlock, kBlock, at));
      writes.push_back(engine.write(buffered, source.data() + i * kBlock, kBlock, at + 50 * 4096));
    }
  };
  ask();
  const auto sync = engine.control(Operation::kFsync, buffered);
  refuse();
  ask();
  const uint64_t before = thread_time_ns();
  engine.until_idle();
  if (at_once) CHECK(thread_time_ns() - before < 900 * 1000 * 1000);
  for (const auto& ticket : reads) CHECK_EQ(ticket->result, static_cast<int32_t>(kBlock));
  for (const auto& ticket : writes) CHECK_EQ(ticket->result, static_cast<int32_t>(kBlock));
  CHECK(sync->result == 0 || sync->result == -EIO);
  for (uint64_t i = 0; i < 50 * kBlock; ++i) CHECK_EQ(memory.data()[i], pattern(1, i));
  CHECK(engine->statistics().fallbacks > 0);
  const auto second_sync = engine.control(Operation::kFsync, buffered);
  engine.until_settled(second_sync);
  CHECK_EQ(second_sync->result, 0);
  engine.until_settled(engine.close(fd));
  engine.until_settled(engine.close(buffered));
  ring_faults = RingFaults();
}

void engines_go_on() {
  for (int error : {EPERM, EBADF, ENOMEM, EINTR}) {
    set_context("an engine whose io_uring_enter fails with " + std::to_string(error));
    an_engine_goes_on([error] { ring_faults.fail(error); }, error == EPERM || error == EBADF);
  }
  set_context("an engine under a late seccomp filter");
  std::thread([] { an_engine_goes_on(forbid_rings, true); }).join();
}

// A thread that ends with requests in a ring that refuses.
void an_engine_ends() {
  set_context("the end of an engine whose ring refuses");
  Engine engine(BackendType::kUring, 64);
  const int fd = engine.open(path(), O_RDONLY | O_DIRECT);
  if (fd < 0) return;
  GuardedBuffer memory(kBlock * 20);
  for (uint32_t i = 0; i < 20; ++i)
    engine.read(fd, memory.data() + i * kBlock, kBlock, static_cast<int64_t>(i * kBlock));
  ring_faults.fail(EPERM);
  engine.end();
  ring_faults = RingFaults();
  close(fd);
}

}  // namespace

int main() {
  {
    BareBackend ring(UringBackend::create, 4);
    if (!ring.ok()) return skipped(ring.result().cause);
    if (!ring->capabilities().single_issuer) return skipped("this kernel has no IORING_SETUP_DEFER_TASKRUN");
  }
  const int fd = file_with_pattern();
  errors_that_pass(fd);
  requests_end_with_the_ring(fd);
  requests_end_under_a_late_filter(fd);
  a_stolen_number(fd);
  engines_go_on();
  an_engine_ends();
  close(fd);
  return 0;
}
