// The end of an engine, and waiting for it (H1, H4, H28): drain() with requests queued, waiting and in flight
// settles each once and leaves nothing with the kernel; settle_descriptor() and settle_writes() block until
// theirs are done, not longer.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "backend/threads/threads_backend.h"
#include "base/clock.h"
#include "base/limits.h"
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

uint64_t milliseconds_of(const std::function<void()>& body) {
  const uint64_t before_ns = monotonic_ns();
  body();
  return (monotonic_ns() - before_ns) / 1000000u;
}

void drain_in_every_state(uint64_t seed) {
  set_context("drain, seed " + std::to_string(seed));
  MockOptions options;
  options.seed = seed;
  options.depth = 4;
  options.delay_rounds_max = 6;
  options.short_permille = 300;
  options.eintr_permille = options.eagain_permille = options.partial_submit_permille = 200;
  Engine engine(options);
  Random random(seed);
  // Each operation has memory of its own: a write and a read that share some race with each other
  // (ThreadSanitizer).
  constexpr uint64_t kMemory = 4096;
  GuardedBuffer buffer(120 * kMemory);
  const int direct = engine.create(1 << 20, 1 << 20, 512);
  const int buffered = engine.create(1 << 20, 1 << 20);
  const int unknown = dup(buffered);  // memory-backed and not yet classified
  std::vector<std::shared_ptr<Ticket>> tickets;
  for (int i = 0; i < 120; ++i) {
    const int fds[] = {direct, buffered, unknown};
    const int fd = fds[random.below(3)];
    uint8_t* memory = buffer.data() + static_cast<uint64_t>(i) * kMemory;
    const int64_t position = random.chance(300) ? -1 : static_cast<int64_t>(random.below(100000));
    const uint64_t bytes = random.between(1, kMemory);
    tickets.push_back(random.chance(500) ? engine.read(fd, memory, bytes, position)
                                         : engine.write(fd, memory, bytes, position));
    if (random.chance(100)) engine.turn();
  }
  const auto closed = engine.close(direct);
  engine.end();
  for (const auto& ticket : tickets) CHECK(ticket->settled);
  // A close is carried out all the same: nobody else will.
  CHECK_EQ(closed->result, 0);
  CHECK(fcntl(direct, F_GETFD) == -1);
  ::close(buffered);
  ::close(unknown);
}

void drain_waits_for_what_is_in_flight() {
  set_context("drain waits for what is in flight");
  MockOptions options;
  options.depth = 4;
  options.delay_rounds_max = 50;
  Engine engine(options);
  const int fd = engine.create(4096, 4096);
  for (int i = 0; i < 4096; ++i) engine.disk().bytes(fd)[i] = 1;
  GuardedBuffer buffer(20);
  std::vector<std::shared_ptr<Ticket>> tickets;
  for (int i = 0; i < 20; ++i) tickets.push_back(engine.read(fd, buffer.data() + i, 1, i));
  engine->round();
  const size_t with_the_kernel = engine->backend().in_flight();
  CHECK_EQ(with_the_kernel, 4u);
  engine.end();
  size_t served = 0;
  for (const auto& ticket : tickets) {
    CHECK(ticket->result == 1 || ticket->result == -ECANCELED);
    if (ticket->result == 1) ++served;
  }
  CHECK(served >= with_the_kernel);
  ::close(fd);
}

// What waits on a number that was forgotten is not in any table, and still settles.
void drain_finds_forgotten_numbers() {
  set_context("drain with operations on a forgotten number");
  MockOptions options;
  options.held = true;
  Engine engine(options);
  const int fd = engine.create(4096, 4096);
  GuardedBuffer buffer(64);
  for (int i = 0; i < 5; ++i) engine.read(fd, buffer.data() + i, 1, -1);
  engine->forget(fd);
  engine.mock().release();
  engine.end();
  ::close(fd);
}

void an_open_that_nobody_heard_of_is_closed() {
  set_context("an open that nobody heard of");
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int before = dup(wake_fd);
  ::close(before);
  {
    IoContext context(std::make_unique<ThreadsBackend>(8, wake_fd), wake_fd);
    for (int i = 0; i < 10; ++i) {
      auto* job = new OpenJob();
      job->path = "/dev/zero";
      context.open(job, 0);
      job = new OpenJob();
      job->path = temporary_folder() + "/opened" + std::to_string(i);
      job->flags = O_CREAT | O_RDWR;
      job->mode = 0600;
      context.open(job, 0);
    }
    usleep(20000);
    context.drain();
  }
  const int after = dup(wake_fd);
  CHECK_EQ(after, before);  // the lowest free number is the same: nothing leaked
  ::close(after);
  ::close(wake_fd);
}

// Node holds the number open for the file, and closes it itself.
void an_open_for_a_number_leaves_it_to_node() {
  set_context("an open for a number");
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int number = ::open("/", O_PATH | O_CLOEXEC);
  const int before = dup(wake_fd);
  ::close(before);
  {
    IoContext context(std::make_unique<ThreadsBackend>(8, wake_fd), wake_fd);
    auto* job = new OpenJob();
    job->path = temporary_folder() + "/opened";
    job->flags = O_CREAT | O_RDWR;
    job->mode = 0600;
    job->number = number;
    context.open(job, kFlagCallback);
    while (!context.round()) usleep(1000);
    context.drain();
  }
  CHECK(fcntl(number, F_GETFD) == FD_CLOEXEC);
  CHECK_EQ(fcntl(number, F_GETFL) & O_ACCMODE, O_RDWR);
  const int after = dup(wake_fd);
  CHECK_EQ(after, before);
  for (const int fd : {number, after, wake_fd}) ::close(fd);
}

void settle_descriptor_waits_for_its_own() {
  set_context("settle_descriptor");
  MockOptions options;
  options.depth = 4;
  options.delay_rounds_max = 8;
  Engine engine(options);
  const int fd = engine.create(100000, 100000);
  GuardedBuffer buffer(4000);
  std::vector<std::shared_ptr<Ticket>> tickets;
  for (int i = 0; i < 200; ++i)
    tickets.push_back(engine.write(fd, buffer.data() + i, 1, i % 3 == 0 ? -1 : i));
  const uint64_t spent_ms = milliseconds_of([&] { engine->settle_descriptor(fd); });
  CHECK(spent_ms < 5000);  // dozing between the writes would take 100 ms for each batch of four
  engine.deliver();
  for (const auto& ticket : tickets) CHECK(ticket->settled);
  engine->settle_descriptor(fd);  // nothing to wait for
  engine->settle_descriptor(12345);
  ::close(fd);
}

// Reads that are known to be cached are served in portions; between two of them nothing is worth waiting for.
void settle_descriptor_does_not_doze() {
  set_context("settle_descriptor with 2,000 cached reads");
  Engine engine(BackendType::kAio, 64);
  if (!engine.ok()) return;
  const int fd = engine.open(temporary_folder() + "/cached", O_RDWR | O_CREAT);
  std::vector<uint8_t> content(4096, 7);
  CHECK_EQ(pwrite(fd, content.data(), content.size(), 0), 4096);
  GuardedBuffer buffer(2000);
  // The best of five: dozing shows every time, a machine that is busy with something else does not.
  uint64_t best_ms = UINT64_MAX;
  for (int round = 0; round < 5 && best_ms >= 500; ++round) {
    std::vector<std::shared_ptr<Ticket>> tickets;
    for (int i = 0; i < 2000; ++i) {
      tickets.push_back(engine.read(fd, buffer.data() + i, 1, i, kFlagCallback));
    }
    best_ms = std::min(best_ms, milliseconds_of([&] { engine->settle_descriptor(fd); }));
    engine.deliver();
    for (const auto& ticket : tickets) CHECK_EQ(ticket->result, 1);
  }
  if (best_ms >= 500) fail(__FILE__, __LINE__, "took " + std::to_string(best_ms) + " ms at best");
  ::close(fd);
}

// Staging memory is given back on delivery, and nobody delivers while the thread is blocked.
void settle_descriptor_with_more_reads_than_staging_memory() {
  set_context("settle_descriptor with more reads than staging memory");
  const int status = status_of_child([] {
    Engine engine{MockOptions()};
    const uint64_t bytes = limits::staged_read_bytes;
    const auto count = static_cast<int>(limits::staged_bytes_max / bytes + 50);
    const int fd = engine.create(bytes, bytes);
    GuardedBuffer buffer(bytes);
    std::vector<std::shared_ptr<Ticket>> tickets;
    for (int i = 0; i < count; ++i) tickets.push_back(engine.read(fd, buffer.data(), bytes, 0));
    engine->settle_descriptor(fd);
    engine.deliver();
    for (const auto& ticket : tickets) CHECK_EQ(ticket->result, static_cast<int32_t>(bytes));
  });
  if (!ended_well(status)) fail(__FILE__, __LINE__, "the child ended with " + describe_status(status));
}

void settle_writes_waits_for_writes() {
  set_context("settle_writes");
  MockOptions options;
  options.depth = 4;
  Engine engine(options);
  const int fd = engine.create(100000, 100000);
  const int other = dup(fd);
  GuardedBuffer buffer(4000);
  buffer.fill(1);
  std::vector<std::shared_ptr<Ticket>> tickets;
  for (int i = 0; i < 100; ++i) tickets.push_back(engine.write(fd, buffer.data() + i, 1, i));
  tickets.push_back(engine.write(other, buffer.data() + 100, 1, 100));
  tickets.push_back(engine.control(Operation::kFsync, fd));
  engine->settle_writes();
  engine.deliver();
  for (const auto& ticket : tickets) CHECK(ticket->settled && ticket->result >= 0);
  for (int i = 0; i <= 100; ++i) CHECK_EQ(engine.disk().bytes(fd)[i], buffer.data()[i]);
  ::close(fd);
  ::close(other);
}

}  // namespace

int main() {
  for (uint64_t seed = 1; seed <= 40; ++seed) drain_in_every_state(seed);
  drain_waits_for_what_is_in_flight();
  drain_finds_forgotten_numbers();
  an_open_that_nobody_heard_of_is_closed();
  an_open_for_a_number_leaves_it_to_node();
  settle_descriptor_waits_for_its_own();
  settle_descriptor_does_not_doze();
  settle_descriptor_with_more_reads_than_staging_memory();
  settle_writes_waits_for_writes();
  return 0;
}
