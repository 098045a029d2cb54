// The gate of a descriptor (H3, H27): what may run at once, what waits, and that close() is the last.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

MockOptions held() {
  MockOptions options;
  options.held = true;
  options.depth = 64;
  return options;
}

void shared_operations_run_at_once() {
  set_context("shared operations run at once");
  Engine engine(held());
  const int fd = engine.create(100000, 100000);
  GuardedBuffer buffer(20 * 100);
  for (int i = 0; i < 20; ++i) engine.read(fd, buffer.data() + i * 100, 100, i * 1000);
  engine.turn();
  CHECK_EQ(engine->backend().in_flight(), 20u);
  engine.mock().release();
  engine.until_idle();
  close(fd);
}

void serial_operations_run_one_by_one_in_call_order() {
  set_context("operations at the file position run one by one");
  Engine engine(held());
  const int fd = engine.create(100000, 100000);
  for (uint64_t i = 0; i < 100000; ++i) engine.disk().bytes(fd)[i] = pattern(1, i);
  GuardedBuffer buffer(64 * 10);
  std::vector<std::shared_ptr<Ticket>> tickets;
  for (int i = 0; i < 10; ++i) tickets.push_back(engine.read(fd, buffer.data() + i * 64, 64, -1));
  const auto positional = engine.read(fd, buffer.data(), 0, 5);  // waits its turn in the same FIFO
  engine.turn();
  CHECK_EQ(engine->backend().in_flight(), 1u);
  engine.mock().release();
  engine.until_idle();
  for (int i = 1; i < 10; ++i) CHECK(tickets[i - 1]->order < tickets[i]->order);
  for (uint64_t i = 0; i < buffer.size(); ++i) CHECK_EQ(buffer.data()[i], pattern(1, i));
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 640);
  CHECK(positional->settled);
  close(fd);
}

void serial_and_shared_run_together() {
  set_context("a shared operation does not wait for a serial one that runs");
  Engine engine(held());
  const int fd = engine.create(1000, 1000);
  GuardedBuffer buffer(64);
  engine.read(fd, buffer.data(), 8, -1);
  engine.read(fd, buffer.data() + 8, 8, 0);
  engine.turn();
  CHECK_EQ(engine->backend().in_flight(), 2u);
  engine.mock().release();
  engine.until_idle();
  close(fd);
}

// A program that writes and, in the same turn, reads what it writes finds it, as it does in node; what does
// not overlap goes on at once.
void an_overlapping_operation_of_the_turn_waits_for_the_write() {
  set_context("an overlapping operation of the same turn waits for the write");
  Engine engine(held());
  const int fd = engine.create(10000, 10000);
  GuardedBuffer source(100);
  source.fill(7);
  GuardedBuffer target(100);
  GuardedBuffer elsewhere(100);
  const auto write = engine.write(fd, source.data(), 100, 1000);
  const auto other = engine.read(fd, elsewhere.data(), 100, 1100);
  engine.turn();
  CHECK_EQ(engine->backend().in_flight(), 2u);
  engine.mock().release();
  engine.until_idle();
  const auto second = engine.write(fd, source.data(), 100, 2000);
  const auto read = engine.read(fd, target.data(), 100, 2050);
  for (int i = 0; i < 5; ++i) engine.turn();
  engine.until_idle();
  CHECK(second->order < read->order);
  for (uint64_t i = 0; i < 50; ++i) CHECK_EQ(target.data()[i], pattern(7, 50 + i));
  const auto cut = engine.control(Operation::kFtruncate, fd, 2020);
  const auto behind = engine.read(fd, target.data(), 100, 2000);
  engine.until_idle();
  CHECK(cut->order < behind->order);
  CHECK_EQ(behind->result, 20);
  close(fd);
}

// An O_DIRECT write at an unaligned offset clears O_DIRECT for its time: nothing else may run then.
void an_exclusive_write_has_the_descriptor_alone() {
  set_context("an exclusive write has the descriptor alone");
  Engine engine(held());
  const int fd = engine.create(100000, 100000, 512);
  GuardedBuffer buffer(4096);
  buffer.fill(2);
  GuardedBuffer target(4096);
  const auto before = engine.read(fd, target.data(), 512, 0);
  const auto write = engine.write(fd, buffer.data(), 100, 700);
  const auto after = engine.read(fd, target.data() + 1024, 1024, 512);
  for (int i = 0; i < 20; ++i) engine.turn();
  CHECK_EQ(engine->in_flight(), 1u);  // the first read alone
  CHECK(!write->settled && !after->settled);
  engine.mock().release();
  engine.until_idle();
  CHECK(before->order < write->order && write->order < after->order);
  CHECK_EQ(write->result, 100);
  CHECK_EQ(after->result, 1024);
  for (uint64_t i = 0; i < 100; ++i) CHECK_EQ(target.data()[1024 + 700 - 512 + i], pattern(2, i));
  close(fd);
}

void close_waits_and_is_the_last() {
  set_context("close waits and is the last");
  Engine engine(held());
  const int fd = engine.create(100000, 100000);
  GuardedBuffer buffer(1000);
  std::vector<std::shared_ptr<Ticket>> tickets;
  for (int i = 0; i < 5; ++i) tickets.push_back(engine.read(fd, buffer.data() + i * 100, 100, i * 100));
  tickets.push_back(engine.read(fd, buffer.data(), 10, -1));
  tickets.push_back(engine.read(fd, buffer.data(), 10, -1));
  tickets.push_back(engine.control(Operation::kFsync, fd));
  const auto closed = engine.close(fd);
  const auto twice = engine.close(fd);
  CHECK(twice->inline_answer);
  CHECK_EQ(twice->result, -EBADF);
  CHECK_EQ(engine.read(fd, buffer.data(), 10, 0)->result, -EBADF);
  CHECK_EQ(engine.write(fd, buffer.data(), 10, 0)->result, -EBADF);
  CHECK_EQ(engine.control(Operation::kFsync, fd)->result, -EBADF);
  for (int i = 0; i < 20; ++i) engine.turn();
  CHECK(!closed->settled);
  CHECK(fcntl(fd, F_GETFD) != -1);
  engine.mock().release();
  engine.until_idle();
  CHECK_EQ(closed->result, 0);
  CHECK(fcntl(fd, F_GETFD) == -1);
  for (const auto& ticket : tickets) CHECK(ticket->order < closed->order);
}

// The number comes back for another file at once; what was meant for the old one never reaches the new one.
void a_reused_number_is_another_file() {
  set_context("close and reopen under load");
  MockOptions options;
  options.delay_rounds_max = 5;
  Engine engine(options);
  GuardedBuffer old_bytes(16 * 64);
  GuardedBuffer new_bytes(16 * 64);
  for (uint32_t round = 0; round < 200; ++round) {
    const int fd = engine.create(4096, 4096);
    for (uint64_t i = 0; i < 4096; ++i) engine.disk().bytes(fd)[i] = static_cast<uint8_t>(round);
    for (int i = 0; i < 16; ++i) engine.read(fd, old_bytes.data() + i * 64, 64, i * 64);
    const auto closed = engine.close(fd);
    engine.until_settled(closed);
    const int reused = engine.create(4096, 4096);
    CHECK_EQ(reused, fd);
    for (uint64_t i = 0; i < 4096; ++i) engine.disk().bytes(reused)[i] = static_cast<uint8_t>(round + 128);
    for (int i = 0; i < 16; ++i) engine.read(reused, new_bytes.data() + i * 64, 64, i * 64);
    engine.until_idle();
    for (size_t i = 0; i < old_bytes.size(); ++i) CHECK_EQ(old_bytes.data()[i], static_cast<uint8_t>(round));
    for (size_t i = 0; i < new_bytes.size(); ++i) {
      CHECK_EQ(new_bytes.data()[i], static_cast<uint8_t>(round + 128));
    }
    engine.until_settled(engine.close(reused));
  }
}

// Plain numbers: the engine finds out what they are, and gives back what it does not serve.
void foreign_descriptors_are_given_back(uint32_t count) {
  set_context("operations on a pipe, " + std::to_string(count));
  Engine engine{MockOptions()};
  int ends[2];
  CHECK(pipe(ends) == 0);
  uint8_t byte = 0;
  std::vector<std::shared_ptr<Ticket>> tickets;
  for (uint32_t i = 0; i < count; ++i) tickets.push_back(engine.write(ends[1], &byte, 1, -1));
  engine.until_idle();
  for (const auto& ticket : tickets) CHECK_EQ(ticket->result, kUnsupported);
  CHECK_EQ(engine.write(ends[1], &byte, 1, -1)->result, kUnsupported);
  for (int end : ends) {
    const auto closed = engine.close(end);
    engine.until_idle();
    CHECK_EQ(closed->result, kUnsupported);
    CHECK_EQ(close(end), 0);
  }
}

void unknown_numbers_are_served_in_order() {
  set_context("a plain number that the engine has not opened");
  Engine engine(BackendType::kThreads, 16);
  const std::string path = temporary_folder() + "/plain";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  GuardedBuffer buffer(4000);
  buffer.fill(3);
  for (int i = 0; i < 40; ++i) engine.write(fd, buffer.data() + i * 100, 100, -1);
  GuardedBuffer target(4000);
  for (int i = 0; i < 5; ++i) engine.until_idle();
  const auto read = engine.read(fd, target.data(), 4000, 0);
  const auto closed = engine.close(fd);
  engine.until_idle();
  CHECK_EQ(read->result, 4000);
  CHECK_EQ(closed->result, 0);
  for (uint64_t i = 0; i < 4000; ++i) CHECK_EQ(target.data()[i], pattern(3, i));
}

// Number closed and opened again behind the engine's back: the next turn notices.
void a_number_changed_behind_our_back_is_noticed() {
  set_context("a number changed behind our back");
  Engine engine(BackendType::kThreads, 16);
  const std::string path = temporary_folder() + "/first";
  const int fd = engine.open(path, O_RDWR | O_CREAT);
  CHECK(fd >= 0);
  uint8_t byte = 1;
  engine.until_settled(engine.write(fd, &byte, 1, 0));
  close(fd);
  int ends[2];
  CHECK(pipe(ends) == 0);
  CHECK(ends[0] == fd || ends[1] == fd);
  engine.turn();
  const auto ticket = engine.write(ends[1] == fd ? fd : ends[1], &byte, 1, -1);
  engine.until_idle();
  CHECK_EQ(ticket->result, kUnsupported);
  close(ends[0]);
  close(ends[1]);
}

// A number of node's, in a Worker (jobs/reserved_number.h).
void a_close_may_keep_the_number(int flags, bool known) {
  set_context("a close that keeps the number");
  Engine engine(held());
  const std::string path = temporary_folder() + "/kept";
  const int fd = known ? engine.open(path, O_CREAT | flags) : ::open(path.c_str(), O_CREAT | flags, 0600);
  CHECK(fd >= 0);
  uint8_t byte = 1;
  std::shared_ptr<Ticket> before;
  if (flags == O_RDWR) before = engine.write(fd, &byte, 1, 0);
  const auto closed = engine.close(fd, kFlagCallback | kFlagKeepNumber);
  CHECK(!engine->settle_descriptor(fd));
  engine.mock().release();
  engine.until_settled(closed);
  CHECK(before == nullptr || (before->settled && before->result == 1));
  CHECK_EQ(closed->result, 0);
  // Nobody else can have it, and nothing is in it.
  CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
  CHECK(::read(fd, &byte, 1) == -1 && errno == EBADF);
  for (const auto& late : {engine.read(fd, &byte, 1, 0), engine.close(fd, kFlagCallback | kFlagKeepNumber)}) {
    engine.until_settled(late);
    CHECK_EQ(late->result, -EBADF);
  }
  engine->forget(fd);
  close(fd);
  CHECK(engine->settle_descriptor(fd));
  const auto never = engine.close(fd, kFlagCallback | kFlagKeepNumber);
  engine.until_settled(never);
  CHECK_EQ(never->result, kUnsupported);
}

}  // namespace

int main() {
  shared_operations_run_at_once();
  serial_operations_run_one_by_one_in_call_order();
  serial_and_shared_run_together();
  an_overlapping_operation_of_the_turn_waits_for_the_write();
  an_exclusive_write_has_the_descriptor_alone();
  close_waits_and_is_the_last();
  a_reused_number_is_another_file();
  foreign_descriptors_are_given_back(3);
  foreign_descriptors_are_given_back(100000);  // settling must not nest
  unknown_numbers_are_served_in_order();
  a_number_changed_behind_our_back_is_noticed();
  for (const int flags : {O_RDWR, O_RDONLY}) {
    a_close_may_keep_the_number(flags, true);
    a_close_may_keep_the_number(flags, false);
  }
  return 0;
}
