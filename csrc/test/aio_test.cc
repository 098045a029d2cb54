// Linux native AIO: a bad iocb inside a batch (H5), a context of 4 under a burst (H6), io_submit that takes
// less or nothing, and a completion ring in a layout we do not know. The system calls are the kernel's own;
// syscall() below stands in front of them to make them fail.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>

#include "backend/aio/aio_backend.h"
#include "test/bare_backend.h"
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

// What the next calls of io_submit do.
struct Interference {
  uint32_t fail_next = 0;
  int error = 0;
  long take_at_most = 1 << 20;
  bool hide_ring = false;
  int setup_error = 0;
  int refuse_nowait = 0;  // an error: EOPNOTSUPP, as a filesystem without RWF_NOWAIT does
  uint32_t nowait = 0;    // io_submit calls whose first iocb has RWF_NOWAIT
  uint32_t submits = 0;
  uint32_t getevents = 0;
};

Interference interference;

long io_submit_interfered(long (*real)(long, ...), const long* arguments) {
  ++interference.submits;
  if (interference.fail_next > 0) {
    --interference.fail_next;
    errno = interference.error;
    return -1;
  }
  const auto* first = *reinterpret_cast<iocb**>(arguments[2]);
  if ((first->aio_rw_flags & RWF_NOWAIT) != 0) {
    ++interference.nowait;
    if (interference.refuse_nowait != 0) {
      errno = interference.refuse_nowait;
      return -1;
    }
  }
  const long count = arguments[1] < interference.take_at_most ? arguments[1] : interference.take_at_most;
  return real(SYS_io_submit, arguments[0], count, arguments[2]);
}

long io_setup_interfered(long (*real)(long, ...), const long* arguments) {
  if (interference.setup_error != 0) {
    errno = interference.setup_error;
    return -1;
  }
  const long status = real(SYS_io_setup, arguments[0], arguments[1]);
  if (status == 0 && interference.hide_ring) {
    const auto context = *reinterpret_cast<aio_context_t*>(arguments[1]);
    reinterpret_cast<aio::Ring*>(context)->magic = 0;
  }
  return status;
}

}  // namespace

// As it is declared: by glibc with noexcept, by musl without.
#ifdef __GLIBC__
#define IOE_SYSCALL_NOEXCEPT noexcept
#else
#define IOE_SYSCALL_NOEXCEPT
#endif

// Atomic, and no guarded static: the guard of libc++ makes system calls by this very function.
static std::atomic<long (*)(long, ...)> real_syscall{nullptr};

extern "C" long syscall(long number, ...) IOE_SYSCALL_NOEXCEPT {
  auto* real = real_syscall.load();
  if (real == nullptr) {
    real = reinterpret_cast<long (*)(long, ...)>(dlsym(RTLD_NEXT, "syscall"));
    real_syscall.store(real);
  }
  va_list list;
  va_start(list, number);
  // The five that fit into registers: nobody here passes more, and a sixth would be read from the stack.
  long arguments[5];
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  if (number == SYS_io_submit) return io_submit_interfered(real, arguments);
  if (number == SYS_io_setup) return io_setup_interfered(real, arguments);
  if (number == SYS_io_getevents) ++interference.getevents;
  return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
}

namespace {

int file_with_pattern(uint64_t size) {
  const int fd = open((temporary_folder() + "/aio").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  std::vector<uint8_t> content(size);
  for (uint64_t i = 0; i < size; ++i) content[i] = pattern(1, i);
  CHECK_EQ(pwrite(fd, content.data(), size, 0), static_cast<ssize_t>(size));
  return fd;
}

void a_bad_one_in_the_middle(int fd) {
  set_context("a bad descriptor inside a batch");
  BareBackend aio(AioBackend::create, 8);
  uint8_t bytes[5] = {};
  std::vector<Request*> requests;
  const int fds[] = {fd, 987654, fd, 987655, fd};
  for (uint32_t i = 0; i < 5; ++i) {
    requests.push_back(aio.make(Operation::kRead, fds[i], bytes + i, 1, i));
  }
  aio.submit_all(requests);
  aio.finish();
  CHECK_EQ(aio.completed(), 5u);
  const int32_t expected[] = {1, -EBADF, 1, -EBADF, 1};
  for (uint32_t i = 0; i < 5; ++i) CHECK_EQ(requests[i]->result, expected[i]);
  for (uint32_t i = 0; i < 5; i += 2) CHECK_EQ(bytes[i], pattern(1, i));
}

void burst(int fd, uint32_t depth, const char* name) {
  set_context(std::string("a burst, ") + name);
  BareBackend aio(AioBackend::create, depth);
  const uint32_t count = depth * 10;
  GuardedBuffer buffer(count * 16);
  std::vector<Request*> requests;
  for (uint32_t i = 0; i < count; ++i) {
    requests.push_back(aio.make(Operation::kRead, fd, buffer.data() + i * 16, 16, i * 16));
  }
  aio.submit_all(requests);
  aio.finish();
  CHECK_EQ(aio.completed(), count);
  for (const Request* request : requests) CHECK_EQ(request->result, 16);
  for (uint64_t i = 0; i < buffer.size(); ++i) CHECK_EQ(buffer.data()[i], pattern(1, i));
}

void refused_submits(int fd) {
  for (int error : {EAGAIN, EINTR, ENOMEM}) {
    interference = Interference();
    interference.fail_next = 3;
    interference.error = error;
    burst(fd, 4, "io_submit fails three times");
    CHECK_EQ(interference.fail_next, 0u);
  }
  for (long most : {1L, 3L}) {
    interference = Interference();
    interference.take_at_most = most;
    burst(fd, 16, "io_submit takes a few");
    CHECK(interference.submits >= 160u / static_cast<uint32_t>(most));
  }
  interference = Interference();
}

// A kernel that refuses for ever with nothing in flight: the requests come back for another lane to serve.
void refused_for_ever(int fd) {
  set_context("io_submit refuses for ever");
  interference = Interference();
  interference.fail_next = 1u << 30;
  interference.error = EAGAIN;
  {
    BareBackend aio(AioBackend::create, 8);
    uint8_t bytes[3];
    std::vector<Request*> requests;
    for (uint32_t i = 0; i < 3; ++i) requests.push_back(aio.make(Operation::kRead, fd, bytes + i, 1, i));
    aio.submit_all(requests);
    aio.finish();
    for (const Request* request : requests) CHECK_EQ(request->result, -ECANCELED);
  }
  Engine engine(BackendType::kAio, 8);
  const int direct = engine.open(temporary_folder() + "/aio", O_RDONLY | O_DIRECT);
  if (direct >= 0) {
    GuardedBuffer buffer(4096);
    std::vector<std::shared_ptr<Ticket>> tickets;
    for (int i = 0; i < 20; ++i) tickets.push_back(engine.read(direct, buffer.data(), 4096, i * 4096));
    engine.until_idle();
    for (const auto& ticket : tickets) CHECK_EQ(ticket->result, 4096);
    CHECK(engine->statistics().fallbacks > 0);
    engine.until_settled(engine.close(direct));
  }
  interference = Interference();
}

// A filter that comes late, or an interruption without end: the pool serves everything, and no caller is
// told.
void given_up_for_good() {
  for (int error : {EPERM, ENOSYS, EINTR}) {
    set_context("io_submit fails for good with " + std::to_string(error));
    interference = Interference();
    Engine engine(BackendType::kAio, 8);
    const int direct = engine.open(temporary_folder() + "/aio", O_RDONLY | O_DIRECT);
    if (direct < 0) return;
    GuardedBuffer buffer(4096);
    interference.fail_next = 1u << 30;
    interference.error = error;
    std::vector<std::shared_ptr<Ticket>> tickets;
    for (int i = 0; i < 200; ++i)
      tickets.push_back(engine.read(direct, buffer.data(), 4096, (i % 20) * 4096));
    engine.until_idle();
    for (const auto& ticket : tickets) CHECK_EQ(ticket->result, 4096);
    engine.until_settled(engine.close(direct));
    interference = Interference();
  }
}

// Memory that runs short for a moment is no reason to give io_submit up: others serve what waits, and it goes
// on.
void refused_for_a_while() {
  for (int error : {EAGAIN, ENOMEM, EINTR}) {
    set_context("io_submit fails for a while with " + std::to_string(error));
    interference = Interference();
    Engine engine(BackendType::kAio, 8);
    const int direct = engine.open(temporary_folder() + "/aio", O_RDONLY | O_DIRECT);
    if (direct < 0) return;
    GuardedBuffer buffer(4096);
    interference.fail_next = 500;
    interference.error = error;
    for (int i = 0; i < 1000 && interference.fail_next > 0; ++i) {
      engine.until_settled(engine.read(direct, buffer.data(), 4096, 0));
    }
    CHECK_EQ(interference.fail_next, 0u);
    CHECK(!engine->backend().given_up());
    const auto& lane = engine->statistics().lanes[static_cast<size_t>(Lane::kAio)];
    const uint64_t before = lane.operations;
    const auto ticket = engine.read(direct, buffer.data(), 4096, 4096);
    engine.until_settled(ticket);
    CHECK_EQ(ticket->result, 4096);
    CHECK_EQ(lane.operations, before + 1);
    engine.until_settled(engine.close(direct));
  }
  interference = Interference();
}

// H32: io_submit must not wait for the inode lock or for dirty pages. A file that refuses is tried once.
void direct_requests_do_not_wait() {
  for (int refuse : {0, EOPNOTSUPP, EINVAL}) {
    set_context("direct requests with RWF_NOWAIT, refused with " + std::to_string(refuse));
    interference = Interference();
    interference.refuse_nowait = refuse;
    Engine engine(BackendType::kAio, 8);
    const int direct = engine.open(temporary_folder() + "/aio", O_RDWR | O_DIRECT);
    if (direct < 0) return;
    GuardedBuffer buffer(4096);
    for (int i = 0; i < 5; ++i) {
      const auto ticket = engine.read(direct, buffer.data(), 4096, i * 4096);
      engine.until_settled(ticket);
      CHECK_EQ(ticket->result, 4096);
    }
    CHECK_EQ(interference.nowait, refuse == EOPNOTSUPP ? 1u : 5u);
    for (uint64_t i = 0; i < 5; ++i) {
      buffer.fill(i + 2);
      const auto written = engine.write(direct, buffer.data(), 4096, static_cast<int64_t>(4 * i) * 4096);
      engine.until_settled(written);
      CHECK_EQ(written->result, 4096);
      std::vector<uint8_t> found(4096);
      const uint64_t at = 4 * i * 4096;
      const int view = open((temporary_folder() + "/aio").c_str(), O_RDWR | O_CLOEXEC);
      CHECK_EQ(pread(view, found.data(), 4096, static_cast<off_t>(at)), 4096);
      for (uint64_t j = 0; j < 4096; ++j) CHECK_EQ(found[j], pattern(i + 2, j));
      buffer.fill(1, at);
      CHECK_EQ(pwrite(view, buffer.data(), 4096, static_cast<off_t>(at)), 4096);
      close(view);
    }
    CHECK_EQ(interference.nowait, refuse == EOPNOTSUPP ? 1u : 10u);
    engine.until_settled(engine.close(direct));
  }
  interference = Interference();
}

void without_the_mapped_ring(int fd) {
  interference = Interference();
  interference.hide_ring = true;
  burst(fd, 4, "through io_getevents");
  burst(fd, 128, "through io_getevents");
  CHECK(interference.getevents > 0);
  interference = Interference();
  burst(fd, 4, "through the mapped ring");
  CHECK_EQ(interference.getevents, 0u);
}

void setup_that_fails() {
  for (int error : {EAGAIN, ENOSYS, EPERM, ENOMEM, EINVAL}) {
    set_context("io_setup fails with " + std::to_string(error));
    interference = Interference();
    interference.setup_error = error;
    BareBackend aio(AioBackend::create, 8);
    CHECK(!aio.ok());
    CHECK_EQ(aio.result().error_number, error);
    CHECK(!aio.result().cause.empty() && !aio.result().fix.empty());
  }
  interference = Interference();
}

void errors_and_syncs(int fd) {
  set_context("operations of AIO");
  BareBackend aio(AioBackend::create, 8);
  Request* sync = aio.make(Operation::kFsync, fd, nullptr, 0, 0);
  Request* data_sync = aio.make(Operation::kFdatasync, fd, nullptr, 0, 0);
  uint8_t bytes[10] = {1, 2, 3};
  Request* write = aio.make(Operation::kWrite, fd, bytes, 3, 99997);
  aio.submit_all({sync, data_sync, write});
  aio.finish();
  CHECK_EQ(sync->result, 0);
  CHECK_EQ(data_sync->result, 0);
  CHECK_EQ(write->result, 3);
  Request* end = aio.make(Operation::kRead, fd, bytes, 10, 99998);
  Request* vectored = aio.make(Operation::kRead, fd, bytes + 4, 2, 0);
  iovec vectors[2] = {{bytes + 4, 1}, {bytes + 6, 1}};
  vectored->vectors = vectors;
  vectored->vector_count = 2;
  aio.submit_all({end, vectored});
  aio.finish();
  CHECK_EQ(end->result, 2);
  CHECK_EQ(vectored->result, 2);
  CHECK(!aio->capabilities().serves(Operation::kFtruncate) && !aio->capabilities().buffered_reads);
}

}  // namespace

int main() {
  {
    BareBackend aio(AioBackend::create, 4);
    if (!aio.ok()) return skipped(aio.result().cause);
  }
  const int fd = file_with_pattern(100000);
  a_bad_one_in_the_middle(fd);
  for (uint32_t depth : {1u, 4u, 256u}) burst(fd, depth, "depth as given");
  refused_submits(fd);
  refused_for_ever(fd);
  given_up_for_good();
  refused_for_a_while();
  direct_requests_do_not_wait();
  without_the_mapped_ring(fd);
  setup_that_fails();
  errors_and_syncs(fd);
  close(fd);
  return 0;
}
