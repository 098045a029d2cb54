// H15: one place decides whether an attempt was enough. Short results are continued at the right offset and
// memory and never past the end of either, errors come after the bytes that were moved, end of file is end of
// file.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "memory/aligned_block.h"
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

MockOptions in_order() {
  MockOptions options;
  options.reorder = false;
  options.delay_rounds_max = 0;
  return options;
}

void fill_file(Engine* engine, int fd, uint64_t tag) {
  uint8_t* bytes = engine->disk().bytes(fd);
  for (uint64_t i = 0; i < engine->disk().size(fd); ++i) bytes[i] = pattern(tag, i);
}

void check_pattern(const uint8_t* data, uint64_t bytes, uint64_t tag, uint64_t at) {
  for (uint64_t i = 0; i < bytes; ++i) CHECK_EQ(data[i], pattern(tag, at + i));
}

MockOutcome moves(uint64_t bytes) {
  MockOutcome outcome;
  outcome.bytes = bytes;
  return outcome;
}

MockOutcome fails(int error) {
  MockOutcome outcome;
  outcome.error = error;
  return outcome;
}

void short_reads_go_on_where_they_stopped() {
  set_context("short reads go on where they stopped");
  Engine engine(in_order());
  const int fd = engine.create(100000, 200000);
  fill_file(&engine, fd, 3);
  GuardedBuffer buffer(10000);
  for (uint64_t bytes : {1u, 4095u, 3u, 5000u}) engine.mock().script(moves(bytes));
  const auto ticket = engine.read(fd, buffer.data(), buffer.size(), 777);
  engine.until_settled(ticket);
  CHECK_EQ(ticket->result, 10000);
  check_pattern(buffer.data(), 10000, 3, 777);
  const auto& taken = engine.mock().taken();
  CHECK_EQ(taken.size(), 5u);
  const uint64_t offsets[] = {777, 778, 4873, 4876, 9876};
  const uint64_t bytes[] = {10000, 9999, 5904, 5901, 901};
  for (size_t i = 0; i < 5; ++i) {
    CHECK_EQ(taken[i].offset, offsets[i]);
    CHECK_EQ(taken[i].bytes, bytes[i]);
    // Only the first attempt may be one that is expected not to wait.
    CHECK((taken[i].flags & kFlagMayWait) != 0);
  }
  close(fd);
}

void short_vectored_writes_split_inside_a_vector() {
  set_context("short vectored writes");
  Engine engine(in_order());
  const int fd = engine.create(0, 100000);
  std::vector<std::unique_ptr<GuardedBuffer>> pieces;
  std::vector<iovec> vectors;
  uint64_t total = 0;
  for (size_t size : {10u, 0u, 300u, 1u, 4096u}) {
    pieces.push_back(std::make_unique<GuardedBuffer>(size));
    pieces.back()->fill(9, total);
    vectors.push_back({pieces.back()->data(), size});
    total += size;
  }
  for (uint64_t bytes : {10u, 150u, 150u, 1u, 95u}) engine.mock().script(moves(bytes));
  const auto ticket = engine.transfer(Operation::kWrite, fd, vectors, 50);
  engine.until_settled(ticket);
  CHECK_EQ(ticket->result, static_cast<int32_t>(total));
  check_pattern(engine.disk().bytes(fd) + 50, total, 9, 0);
  CHECK_EQ(engine.disk().size(fd), 50 + total);
  CHECK_EQ(engine.mock().taken().size(), 6u);
  close(fd);
}

void more_vectors_than_the_kernel_takes_at_once() {
  set_context("more vectors than one attempt takes");
  Engine engine(in_order());
  const int fd = engine.create(0, 100000);
  GuardedBuffer buffer(3 * 3000);
  buffer.fill(7, 0);
  std::vector<iovec> vectors;
  for (size_t i = 0; i < 3000; ++i) vectors.push_back({buffer.data() + 3 * i, 3});
  const auto ticket = engine.transfer(Operation::kWrite, fd, vectors, 11);
  engine.until_settled(ticket);
  CHECK_EQ(ticket->result, 9000);
  check_pattern(engine.disk().bytes(fd) + 11, 9000, 7, 0);
  CHECK_EQ(engine.disk().size(fd), 9011u);
  const auto& taken = engine.mock().taken();
  CHECK_EQ(taken.size(), 3u);
  for (size_t i = 0; i < 3; ++i) CHECK_EQ(taken[i].offset, 11 + i * 3 * limits::vectors);
  close(fd);
}

void the_end_of_a_file_is_not_asked_for_twice() {
  set_context("end of file");
  Engine engine(in_order());
  const int fd = engine.create(5000, 10000);
  fill_file(&engine, fd, 4);
  GuardedBuffer buffer(8192);
  const auto across = engine.read(fd, buffer.data(), 8192, 0);
  engine.until_settled(across);
  CHECK_EQ(across->result, 5000);
  check_pattern(buffer.data(), 5000, 4, 0);
  buffer.check_untouched(5000);
  CHECK_EQ(engine.mock().taken().size(), 1u);
  const auto beyond = engine.read(fd, buffer.data(), 10, 5000);
  engine.until_settled(beyond);
  CHECK_EQ(beyond->result, 0);
  // A short result that is not the end of the file is no end of file (H17).
  engine.mock().script(moves(4096));
  const auto ticket = engine.read(fd, buffer.data(), 5000, 0);
  engine.until_settled(ticket);
  CHECK_EQ(ticket->result, 5000);
  close(fd);
}

void errors_come_after_the_bytes() {
  set_context("errors come after the bytes that were moved");
  Engine engine(in_order());
  const int fd = engine.create(10000, 10000);
  fill_file(&engine, fd, 5);
  GuardedBuffer buffer(1000);
  engine.mock().script(moves(300));
  engine.mock().script(fails(EIO));
  const auto part = engine.read(fd, buffer.data(), 1000, 0);
  engine.until_settled(part);
  CHECK_EQ(part->result, 300);
  buffer.check_untouched(300);
  engine.mock().script(fails(EIO));
  const auto none = engine.read(fd, buffer.data(), 1000, 0);
  engine.until_settled(none);
  CHECK_EQ(none->result, -EIO);
  // An error of fsync is passed on once and not retried.
  const size_t before = engine.mock().taken().size();
  engine.mock().script(fails(EIO));
  const auto sync = engine.control(Operation::kFsync, fd);
  engine.until_settled(sync);
  CHECK_EQ(sync->result, -EIO);
  CHECK_EQ(engine.mock().taken().size(), before + 1);
  close(fd);
}

void interrupted_and_refused_attempts_are_repeated() {
  set_context("EINTR and EAGAIN");
  Engine engine(in_order());
  const int fd = engine.create(10000, 10000);
  fill_file(&engine, fd, 6);
  GuardedBuffer buffer(1000);
  engine.mock().script(fails(EINTR));
  engine.mock().script(moves(100));
  engine.mock().script(fails(EINTR));
  const auto interrupted = engine.read(fd, buffer.data(), 1000, 10);
  engine.until_settled(interrupted);
  CHECK_EQ(interrupted->result, 1000);
  check_pattern(buffer.data(), 1000, 6, 10);
  CHECK_EQ(engine.mock().taken().size(), 4u);
  CHECK_EQ(engine->statistics().fallbacks, 0u);
  for (int error : {EAGAIN, EOPNOTSUPP, ECANCELED}) {
    const uint64_t before = engine->statistics().fallbacks;
    engine.mock().script(fails(error));
    const auto refused = engine.read(fd, buffer.data(), 1000, 20);
    engine.until_settled(refused);
    CHECK_EQ(refused->result, 1000);  // by the pool
    check_pattern(buffer.data(), 1000, 6, 20);
    CHECK_EQ(engine->statistics().fallbacks, before + 1);
  }
  CHECK_EQ(engine->statistics().lanes[static_cast<size_t>(Lane::kThreads)].operations, 3u);
  close(fd);
}

void nothing_wanted_is_nothing_moved() {
  set_context("transfers of no bytes");
  for (uint32_t alignment : {1u, 4096u}) {
    Engine engine(in_order());
    const int fd = engine.create(10000, 10000, alignment);
    GuardedBuffer buffer(16, 1);
    for (int64_t position : {0, 1, 4096, 20000}) {
      const auto read = engine.read(fd, buffer.data(), 0, position);
      const auto write = engine.write(fd, buffer.data(), 0, position);
      engine.until_idle();
      CHECK_EQ(read->result, 0);
      CHECK_EQ(write->result, 0);
    }
    buffer.check_untouched(0);
    CHECK_EQ(engine.disk().size(fd), 10000u);
    close(fd);
  }
}

// One request moves at most 0x7ffff000 bytes, also when its first attempt was short: the second one must not
// be offered more memory than is still wanted.
void more_than_the_kernel_moves_at_once() {
  set_context("a request of INT_MAX bytes");
  Engine engine(in_order());
  const int fd = engine.create(4096, 4096);
  void* memory =
      mmap(nullptr, size_t{1} << 32, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(memory != MAP_FAILED);
  CHECK(mprotect(memory, 8192, PROT_READ | PROT_WRITE) == 0);
  engine.mock().script(moves(100));
  const auto single = engine.read(fd, memory, 0x7fffffff, 0);
  engine.until_settled(single);
  CHECK_EQ(single->result, 4096);
  CHECK_EQ(engine.mock().taken()[0].bytes, uint64_t{0x7ffff000});
  CHECK_EQ(engine.mock().taken()[1].bytes, uint64_t{0x7ffff000 - 100});
  const std::vector<iovec> vectors(4, iovec{memory, size_t{1} << 30});
  const auto many = engine.transfer(Operation::kRead, fd, vectors, 0);
  engine.until_settled(many);
  CHECK_EQ(many->result, 4096);
  CHECK_EQ(engine.mock().taken()[2].bytes, uint64_t{0x7ffff000});
  munmap(memory, size_t{1} << 32);
  close(fd);
}

// RLIMIT_FSIZE, a full disk or a fallback inside the filesystem may end an O_DIRECT write in the middle of a
// block. The rest cannot be written with O_DIRECT: the short count is the answer, as from write(2).
void direct_write_that_stops_inside_a_block() {
  set_context("an O_DIRECT write that stops inside a block");
  Engine engine(in_order());
  const int fd = engine.create(0, 100000, 512);
  GuardedBuffer buffer(8192);
  buffer.fill(8);
  for (uint64_t stop : {5000u, 1u, 511u}) {
    engine.mock().script(moves(stop));
    const auto ticket = engine.write(fd, buffer.data(), buffer.size(), 0);
    engine.until_settled(ticket);
    CHECK_EQ(ticket->result, static_cast<int32_t>(stop));
    check_pattern(engine.disk().bytes(fd), stop, 8, 0);
  }
  engine.mock().script(moves(512));
  const auto whole = engine.write(fd, buffer.data(), buffer.size(), 0);
  engine.until_settled(whole);
  CHECK_EQ(whole->result, 8192);
  close(fd);
}

// What is finished in the iteration of the loop that accepted it waits for the immediates, and nothing
// overtakes an error that does.
void no_answer_before_the_immediates() {
  set_context("no answer before the immediates");
  Engine engine(in_order());
  const int fd = engine.create(4096, 4096);
  GuardedBuffer buffer(100);
  const auto read = [&] {
    const auto ticket = engine.read(fd, buffer.data(), buffer.size(), 0);
    engine->round();
    CHECK_EQ(engine->in_flight(), 0u);
    return ticket;
  };
  engine->allow_early(false);
  const auto first = read();
  engine.deliver_finished();
  CHECK(!first->settled);
  CHECK(engine->has_held_back());
  engine.mock().script(fails(EIO));
  const auto second = read();
  const auto third = read();
  engine->allow_early(true);
  engine.deliver_finished();
  CHECK(first->settled);
  CHECK(!second->settled);
  CHECK(!third->settled);
  engine.deliver();
  CHECK_EQ(first->result, 100);
  CHECK_EQ(second->result, -EIO);
  CHECK_EQ(third->result, 100);
  CHECK(second->order < third->order);
  CHECK(!engine->has_undelivered());
  close(fd);
}

// Memory of ours that JavaScript has let go of belongs to the request (H8): it is nobody else's before the
// end.
void memory_of_our_own_is_held() {
  MockOptions options;
  options.held = true;
  Engine engine(options);
  const int fd = engine.create(8192, 8192, 4096);
  AlignedBlock* block = AlignedBlock::allocate(4096);
  const void* const memory = block->data();
  const auto read = engine.read(fd, block->data(), 4096, 0);
  block->release();
  AlignedBlock* next = AlignedBlock::allocate(4096);
  CHECK(next->data() != memory);
  engine.mock().release();
  engine.until_settled(read);
  CHECK_EQ(read->result, 4096);
  AlignedBlock* last = AlignedBlock::allocate(4096);
  CHECK(last->data() == memory);
  next->release();
  last->release();
}

}  // namespace

int main() {
  memory_of_our_own_is_held();
  no_answer_before_the_immediates();
  short_reads_go_on_where_they_stopped();
  short_vectored_writes_split_inside_a_vector();
  more_vectors_than_the_kernel_takes_at_once();
  the_end_of_a_file_is_not_asked_for_twice();
  errors_come_after_the_bytes();
  interrupted_and_refused_attempts_are_repeated();
  nothing_wanted_is_nothing_moved();
  more_than_the_kernel_moves_at_once();
  direct_write_that_stops_inside_a_block();
  return 0;
}
