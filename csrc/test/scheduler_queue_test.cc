// Backpressure (H5, H6): a backend that takes less than it is offered, or nothing for a while, loses no
// request; the depth is never exceeded; requests start in FIFO order.
#include <unistd.h>

#include "base/limits.h"
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

// A burst of ten times the depth, and how it got to the backend.
void burst(const char* name, const MockOptions& options) {
  set_context(name);
  Engine engine(options);
  const uint64_t size = options.depth * 1000;
  const int fd = engine.create(size, size);
  for (uint64_t i = 0; i < size; ++i) engine.disk().bytes(fd)[i] = pattern(1, i);
  const uint32_t count = options.depth * 10;
  GuardedBuffer buffer(count * 100);
  std::vector<std::shared_ptr<Ticket>> tickets;
  for (uint32_t i = 0; i < count; ++i) {
    tickets.push_back(engine.read(fd, buffer.data() + i * 100, 100, i * 100));
    CHECK(engine->backend().in_flight() <= options.depth);
  }
  CHECK_EQ(engine.outstanding(), count);
  engine.until_idle();
  for (const auto& ticket : tickets) CHECK_EQ(ticket->result, 100);
  for (uint64_t i = 0; i < buffer.size(); ++i) CHECK_EQ(buffer.data()[i], pattern(1, i));
  CHECK_EQ(engine.mock().taken().size(), count);
  for (uint32_t i = 0; i < count; ++i) CHECK_EQ(engine.mock().taken()[i].offset, uint64_t{i} * 100);
  CHECK_EQ(engine.mock().in_flight_max(), options.depth);
  close(fd);
}

void the_first_request_goes_at_once() {
  set_context("the first request of an idle engine goes at once (H28)");
  MockOptions options;
  options.held = true;
  Engine engine(options);
  const int fd = engine.create(1000, 1000);
  GuardedBuffer buffer(100);
  engine.read(fd, buffer.data(), 10, 0);
  CHECK_EQ(engine->backend().in_flight(), 1u);
  engine.read(fd, buffer.data() + 10, 10, 10);
  CHECK_EQ(engine->backend().in_flight(), 1u);  // the second waits for the turn's one submit
  engine.turn();
  CHECK_EQ(engine->backend().in_flight(), 2u);
  engine.mock().release();
  engine.until_idle();
  close(fd);
}

void one_submit_per_turn() {
  set_context("one submit per turn");
  MockOptions options;
  options.depth = 64;
  options.held = true;
  Engine engine(options);
  const int fd = engine.create(10000, 10000);
  GuardedBuffer buffer(40);
  for (int i = 0; i < 40; ++i) engine.read(fd, buffer.data() + i, 1, i);
  engine.turn();
  CHECK_EQ(engine->backend().in_flight(), 40u);
  CHECK_EQ(engine.mock().submits(), 2u);
  engine.mock().release();
  engine.until_idle();
  close(fd);
}

// Reads get staging memory in the order in which they came: a small one that still fits waits behind a larger
// one.
void staging_memory_is_given_out_in_order() {
  set_context("staging memory in order");
  MockOptions options;
  options.depth = limits::depth * 2;
  options.held = true;
  Engine engine(options);
  const int fd = engine.create(limits::staged_read_bytes, 1 << 20);
  GuardedBuffer buffer(limits::staged_read_bytes);
  const auto read = [&](uint64_t bytes) { return engine.read(fd, buffer.data(), bytes, 0); };
  // All but 64 KiB of it.
  const uint64_t large = limits::staged_bytes_max / limits::staged_read_bytes - 1;
  for (uint64_t i = 0; i < large; ++i) read(limits::staged_read_bytes);
  read(limits::staged_read_bytes / 2);
  engine.turn();
  const size_t taken = engine.mock().taken().size();
  CHECK_EQ(taken, large + 1);
  const auto waits = read(limits::staged_read_bytes);
  const auto behind = read(4096);
  engine.turn();
  CHECK_EQ(engine.mock().taken().size(), taken);
  engine.mock().release();
  engine.until_idle();
  CHECK(waits->settled && behind->settled);
  close(fd);
}

}  // namespace

int main() {
  MockOptions options;
  options.depth = 4;
  options.reorder = false;
  burst("a burst of 40 with a depth of 4", options);
  options.reorder = true;
  options.delay_rounds_max = 10;
  burst("the same, late and out of order", options);
  options.partial_submit_permille = 800;
  burst("the same, and partial submits", options);
  options.refused_submits = 100;
  burst("the same, and nothing taken at first", options);
  options = MockOptions();
  options.depth = 1;
  burst("a depth of 1", options);
  options.depth = 256;
  burst("a depth of 256", options);
  the_first_request_goes_at_once();
  one_submit_per_turn();
  staging_memory_is_given_out_in_order();
  return 0;
}
