// Direct requests beyond the tags of their device wait in the scheduler (H32): never more with the backend
// than the device takes, in order, and nothing else waits behind them.
#include <unistd.h>

#include "jobs/device_tags.h"
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

constexpr uint64_t kBlock = 4096;
constexpr uint64_t kSize = 1 << 22;

MockOptions held_options() {
  MockOptions options;
  options.depth = 64;
  options.reorder = false;
  options.delay_rounds_max = 0;
  options.held = true;
  return options;
}

// A direct file on a device with these tags.
int file_on(Engine* engine, DeviceTags* tags) {
  const int fd = engine->create(kSize, kSize, kBlock);
  for (uint64_t i = 0; i < kSize; ++i) engine->disk().bytes(fd)[i] = pattern(1, i);
  engine->put_on_device(fd, kBlock, tags);
  return fd;
}

// Every other block, so that nothing is merged.
int64_t at(uint64_t index) { return static_cast<int64_t>(index * 2 * kBlock); }

void no_more_than_the_device_takes() {
  for (const bool writes : {false, true}) {
    set_context("the bound of a device");
    DeviceTags tags;
    tags.set_limits({8, 0, 0});
    Engine engine(held_options());
    const int fd = file_on(&engine, &tags);
    GuardedBuffer buffer(100 * kBlock);
    if (writes) buffer.fill(2);
    std::vector<std::shared_ptr<Ticket>> tickets;
    for (uint64_t i = 0; i < 100; ++i) {
      uint8_t* memory = buffer.data() + i * kBlock;
      tickets.push_back(writes ? engine.write(fd, memory, kBlock, at(i))
                               : engine.read(fd, memory, kBlock, at(i)));
    }
    for (int i = 0; i < 5; ++i) engine.turn();
    CHECK_EQ(engine.mock().taken().size(), 7u);
    CHECK_EQ(tags.held(), 7u);
    CHECK(!engine->has_local_work());  // the loop may sleep
    engine.mock().release();
    engine.until_idle();
    CHECK_EQ(engine.mock().in_flight_max(), 7u);
    CHECK_EQ(tags.held(), 0u);
    for (uint64_t i = 0; i < 100; ++i) {
      CHECK_EQ(tickets[i]->result, static_cast<int32_t>(kBlock));
      CHECK_EQ(engine.mock().taken()[i].offset, static_cast<uint64_t>(at(i)));
      const uint8_t* moved = writes ? engine.disk().bytes(fd) + at(i) : buffer.data() + i * kBlock;
      for (uint64_t j = 0; j < kBlock; ++j)
        CHECK_EQ(moved[j],
                 writes ? pattern(2, i * kBlock + j) : pattern(1, static_cast<uint64_t>(at(i)) + j));
    }
    close(fd);
  }
}

void nothing_else_waits_behind_them() {
  set_context("requests for something else");
  DeviceTags tags, other_tags;
  tags.set_limits({1, 0, 0});
  other_tags.set_limits({4, 0, 0});
  Engine engine(held_options());
  const int busy = file_on(&engine, &tags);
  const int other = file_on(&engine, &other_tags);
  const int buffered = engine.create(kSize, kSize);
  GuardedBuffer buffer(20 * kBlock);
  for (uint64_t i = 0; i < 10; ++i) engine.read(busy, buffer.data() + i * kBlock, kBlock, at(i));
  engine.turn();
  CHECK_EQ(engine.mock().taken().size(), 1u);
  engine.read(other, buffer.data() + 10 * kBlock, kBlock, at(0));
  engine.read(buffered, buffer.data() + 11 * kBlock, kBlock, 0);
  engine.control(Operation::kFsync, busy);
  engine.turn();
  CHECK_EQ(engine.mock().taken().size(), 4u);
  const int unrelated = engine.create(kSize, kSize);
  engine.until_settled(engine.close(unrelated));
  engine.mock().release();
  engine.until_idle();
  for (int fd : {busy, other, buffered}) close(fd);
}

// A request that the device splits holds as many tags as it has parts. Small ones do not overtake it for
// ever, and one that is larger than the device gets its turn.
void large_requests_count_as_several() {
  set_context("large requests");
  DeviceTags tags;
  tags.set_limits({8, 2 * kBlock, 0});
  Engine engine(held_options());
  const int fd = file_on(&engine, &tags);
  GuardedBuffer buffer(64 * kBlock);
  engine.read(fd, buffer.data(), 8 * kBlock, 0);                                   // 4 of 7
  engine.read(fd, buffer.data(), 8 * kBlock, 100 * static_cast<int64_t>(kBlock));  // 4 more: too many
  engine.read(fd, buffer.data(), kBlock, 200 * static_cast<int64_t>(kBlock));
  const auto largest = engine.read(fd, buffer.data(), 60 * kBlock, 300 * static_cast<int64_t>(kBlock));
  engine.turn();
  CHECK_EQ(engine.mock().taken().size(), 1u);
  CHECK_EQ(tags.held(), 4u);
  engine.mock().release();
  engine.turn();
  engine.until_idle();
  CHECK_EQ(largest->result, static_cast<int32_t>(60 * kBlock));
  CHECK_EQ(tags.held(), 0u);
  // Where AIO leaves a large one to the pool, it holds its tags there.
  MockOptions options = held_options();
  options.buffered_reads = options.buffered_writes = false;
  Engine as_aio(options);
  const int file = file_on(&as_aio, &tags);
  GuardedBuffer large(2 << 20);
  as_aio.read(file, buffer.data(), kBlock, 0);
  const auto waiting = as_aio.read(file, large.data(), 2 << 20, static_cast<int64_t>(kBlock) * 8);
  for (int i = 0; i < 5; ++i) as_aio.turn();
  CHECK(!waiting->settled);
  as_aio.mock().release();
  as_aio.until_idle();
  CHECK_EQ(waiting->result, 2 << 20);
  CHECK_EQ(as_aio->statistics().lanes[static_cast<size_t>(Lane::kThreads)].operations, 1u);
  CHECK_EQ(tags.held(), 0u);
  close(fd);
  close(file);
}

// Adjacent requests become one before they count; those that have waited, before they go.
void merged_requests_count_once() {
  set_context("merged requests");
  DeviceTags tags;
  tags.set_limits({2, 0, 0});
  Engine engine(held_options());
  const int fd = file_on(&engine, &tags);
  GuardedBuffer buffer(64 * kBlock);
  engine.read(fd, buffer.data(), kBlock, 512 * static_cast<int64_t>(kBlock));
  engine.mock().script(MockOutcome());
  MockOutcome failed;
  failed.error = EIO;
  engine.mock().script(failed);  // its parts are done again alone, and count again
  std::vector<std::shared_ptr<Ticket>> tickets;
  for (uint64_t i = 0; i < 8; ++i) {
    tickets.push_back(engine.read(fd, buffer.data() + i * kBlock, kBlock, static_cast<int64_t>(i * kBlock)));
  }
  engine.turn();
  CHECK_EQ(engine.mock().taken().size(), 2u);
  CHECK_EQ(engine.mock().taken()[1].vector_count, 8u);
  engine.mock().release();
  engine.until_idle();
  for (const auto& ticket : tickets) CHECK_EQ(ticket->result, static_cast<int32_t>(kBlock));
  for (uint64_t i = 0; i < 8 * kBlock; ++i) CHECK_EQ(buffer.data()[i], pattern(1, i));
  CHECK_EQ(engine.mock().in_flight_max(), 2u);
  CHECK_EQ(tags.held(), 0u);
  close(fd);
}

void the_end_of_an_engine() {
  set_context("drain with requests that wait for tags");
  DeviceTags tags;
  tags.set_limits({2, 0, 0});
  {
    Engine engine(held_options());
    const int fd = file_on(&engine, &tags);
    GuardedBuffer buffer(kBlock);
    std::vector<std::shared_ptr<Ticket>> tickets;
    for (uint64_t i = 0; i < 20; ++i) tickets.push_back(engine.read(fd, buffer.data(), kBlock, at(i)));
    engine.turn();
    engine.mock().release();
    engine.end();
    uint32_t cancelled = 0;
    for (const auto& ticket : tickets) cancelled += ticket->result == -ECANCELED ? 1 : 0;
    CHECK_EQ(cancelled, 18u);
    close(fd);
  }
  CHECK_EQ(tags.held(), 0u);
  set_context("a close that is waited for");
  Engine engine(held_options());
  const int fd = file_on(&engine, &tags);
  GuardedBuffer buffer(kBlock);
  for (uint64_t i = 0; i < 20; ++i) engine.read(fd, buffer.data(), kBlock, at(i));
  engine.mock().release();
  engine->settle_descriptor(fd);
  CHECK_EQ(tags.held(), 0u);
  engine.deliver();
  CHECK_EQ(engine.outstanding(), 0u);
  close(fd);
}

// Engines of other threads hold tags of the same device: each goes on, whatever the others do.
void two_engines() {
  set_context("two engines on one device");
  DeviceTags tags;
  tags.set_limits({74, 0, 0});  // 65
  Engine first(held_options());
  Engine second(held_options());
  GuardedBuffer buffer(kBlock);
  const int files[] = {file_on(&first, &tags), file_on(&second, &tags)};
  for (uint64_t i = 0; i < 100; ++i) first.read(files[0], buffer.data(), kBlock, at(i));
  first.turn();
  CHECK_EQ(first.mock().taken().size(), 64u);  // its depth
  for (uint64_t i = 0; i < 60; ++i) second.read(files[1], buffer.data(), kBlock, at(i));
  second.turn();
  CHECK_EQ(second.mock().taken().size(), 2u);
  // The first reaps nothing: a Worker that computes.
  second.mock().release();
  second.until_idle();
  CHECK_EQ(second.mock().in_flight_max(), 2u);
  first.mock().release();
  first.until_idle();
  CHECK_EQ(tags.held(), 0u);
  for (int fd : files) close(fd);
}

// What slept in submit() although there were tags: the bound goes down, and direct writes to that mount go
// where waiting is allowed, as after a wait for the journal.
void submissions_that_sleep() {
  set_context("submissions that sleep");
  DeviceTags tags;
  tags.set_limits({64, 0, 0});
  MockOptions options = held_options();
  options.held = false;
  options.submit_sleep_us = 3000;
  Engine engine(options);
  const int fd = file_on(&engine, &tags);
  GuardedBuffer buffer(kBlock);
  engine.until_settled(engine.read(fd, buffer.data(), kBlock, 0));
  CHECK(tags.bound() < 56);
  const auto may_wait = [&engine] { return (engine.mock().taken().back().flags & kFlagMayWait) != 0; };
  CHECK(!may_wait());
  engine.until_settled(engine.write(fd, buffer.data(), kBlock, 0));
  CHECK(!may_wait());
  // The bar is on for a while, and longer each time: on a machine that stands still meanwhile, the next one
  // finds it.
  for (int i = 0; i < 20 && !may_wait(); ++i)
    engine.until_settled(engine.write(fd, buffer.data(), kBlock, 0));
  CHECK(may_wait());
  engine.until_settled(engine.read(fd, buffer.data(), kBlock, 0));
  CHECK(!may_wait());
  close(fd);
}

}  // namespace

int main() {
  no_more_than_the_device_takes();
  nothing_else_waits_behind_them();
  large_requests_count_as_several();
  merged_requests_count_once();
  the_end_of_an_engine();
  two_engines();
  submissions_that_sleep();
  return 0;
}
