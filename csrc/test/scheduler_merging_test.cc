// Merging: neighbours become one vectored operation, and each request gets its own part of the result back,
// also of a short one and of an error.
#include <dlfcn.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/limits.h"
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

constexpr uint64_t kBlock = 512;

// The block that fails where the pool reads or writes it, as on a bad disk; -1: none.
std::atomic<int64_t> bad_block{-1};

using Transfer = ssize_t (*)(int, const iovec*, int, off_t);

ssize_t transfer_or_fail(Transfer real, int fd, const iovec* vectors, int count, off_t offset) {
  const off_t bad = bad_block * static_cast<off_t>(kBlock);
  if (bad >= offset && bad < offset + static_cast<off_t>(vectors[0].iov_len)) {
    errno = EIO;
    return -1;
  }
  return real(fd, vectors, count, offset);
}

}  // namespace

// In front of the C library's. With 64-bit offsets these are preadv64 and pwritev64.
extern "C" ssize_t preadv(int fd, const iovec* vectors, int count, off_t offset) {
  static auto real = reinterpret_cast<Transfer>(dlsym(RTLD_NEXT, "preadv64"));
  return transfer_or_fail(real, fd, vectors, count, offset);
}

extern "C" ssize_t pwritev(int fd, const iovec* vectors, int count, off_t offset) {
  static auto real = reinterpret_cast<Transfer>(dlsym(RTLD_NEXT, "pwritev64"));
  return transfer_or_fail(real, fd, vectors, count, offset);
}

namespace {

// Requests on blocks in a row, submitted together; `outcome` is that of the one operation for all.
class Row {
 public:
  Row(uint32_t count, bool writes, uint64_t stride = kBlock, const MockOutcome& outcome = MockOutcome())
      : writes_(writes), buffer_(count * kBlock) {
    MockOptions options;
    options.depth = 64;
    options.reorder = false;
    options.delay_rounds_max = 0;
    options.held = true;
    engine_ = std::make_unique<Engine>(options);
    fd_ = engine_->create(1 << 20, 1 << 20, kBlock);
    for (uint64_t i = 0; i < 1 << 20; ++i) bytes()[i] = pattern(1, i);
    if (writes) buffer_.fill(2);
    // Keeps the backend busy, so that the row waits for one submit.
    engine_->read(fd_, first_.data(), kBlock, (1 << 20) - static_cast<int64_t>(kBlock));
    engine_->mock().script(outcome);
    for (uint32_t i = 0; i < count; ++i) {
      uint8_t* memory = buffer_.data() + i * kBlock;
      const auto at = static_cast<int64_t>(i * stride);
      tickets.push_back(writes ? engine_->write(fd_, memory, kBlock, at)
                               : engine_->read(fd_, memory, kBlock, at));
    }
    engine_->turn();
  }
  ~Row() { close(fd_); }

  void finish() {
    engine_->mock().release();
    engine_->until_idle();
  }
  uint8_t* bytes() { return engine_->disk().bytes(fd_); }
  // What one block holds that was read or written, or was not.
  void check_block(uint64_t index, bool moved = true) {
    for (uint64_t at = index * kBlock; at < (index + 1) * kBlock; ++at) {
      if (writes_) {
        CHECK_EQ(bytes()[at], pattern(moved ? 2 : 1, at));
      } else if (moved) {
        CHECK_EQ(buffer_.data()[at], pattern(1, at));
      } else {
        CHECK_EQ(buffer_.data()[at], GuardedBuffer::kUntouched);
      }
    }
  }
  Engine& engine() { return *engine_; }
  // Operations that the backend got for the row.
  size_t operations() { return engine_->mock().taken().size() - 1; }

  std::vector<std::shared_ptr<Ticket>> tickets;

 private:
  bool writes_;
  GuardedBuffer buffer_;
  GuardedBuffer first_{kBlock};
  std::unique_ptr<Engine> engine_;
  int fd_ = -1;
};

void neighbours_become_one() {
  set_context("neighbours become one operation");
  Row row(8, false);
  CHECK_EQ(row.operations(), 1u);
  CHECK_EQ(row.engine().mock().taken()[1].vector_count, 8u);
  CHECK_EQ(row.engine().mock().taken()[1].bytes, 8 * kBlock);
  CHECK_EQ(row.engine()->statistics().merged, 7u);
  row.finish();
  for (uint32_t i = 0; i < 8; ++i) {
    CHECK_EQ(row.tickets[i]->result, static_cast<int32_t>(kBlock));
    row.check_block(i);
  }
  CHECK_EQ(row.engine()->statistics().lanes[static_cast<size_t>(Lane::kAio)].operations, 9u);
}

void gaps_and_limits_stay() {
  set_context("what is not adjacent stays apart");
  Row apart(8, false, 2 * kBlock);
  CHECK_EQ(apart.operations(), 8u);
  apart.finish();
  set_context("a row longer than the limit");
  Row longer(limits::merge_requests + 10, true);
  CHECK_EQ(longer.operations(), 2u);
  longer.finish();
  for (uint64_t i = 0; i < (limits::merge_requests + 10) * kBlock; ++i) {
    CHECK_EQ(longer.bytes()[i], pattern(2, i));
  }
}

// An outcome for the row as one operation: short at every place, and failed. Each request takes what fell
// into its range, the rest is requested again.
void outcome_of_a_row(const MockOutcome& outcome, bool writes, const char* name) {
  set_context(name);
  Row row(6, writes, kBlock, outcome);
  CHECK_EQ(row.operations(), 1u);
  row.finish();
  for (size_t i = 0; i < row.tickets.size(); ++i) {
    // Only the merged operation failed: done alone, each is well.
    CHECK_EQ(row.tickets[i]->result, static_cast<int32_t>(kBlock));
    row.check_block(i);
  }
  CHECK_EQ(row.engine()->statistics().fallbacks, outcome.error == EAGAIN ? 6u : 0u);
}

void outcomes_are_shared_out() {
  for (bool writes : {false, true}) {
    for (uint64_t blocks = 1; blocks < 6; ++blocks) {
      MockOutcome outcome;
      outcome.bytes = blocks * kBlock;
      outcome_of_a_row(outcome, writes, "a short merged operation");
    }
    for (int error : {EIO, EAGAIN, EINTR}) {
      MockOutcome outcome;
      outcome.error = error;
      outcome_of_a_row(outcome, writes, "a failed merged operation");
    }
  }
}

// H31: a bad block fails its own request, and none of the neighbours that were merged with it: neither those
// in front of it nor those behind, wherever the merged operation stopped.
void one_bad_block_fails_alone(bool writes, uint32_t bad, uint64_t blocks_before) {
  set_context(std::string("a bad block in a merged ") + (writes ? "write" : "read") + ": " +
              std::to_string(bad) + ", behind " + std::to_string(blocks_before));
  MockOutcome merged;
  merged.error = blocks_before > 0 ? 0 : EIO;
  if (blocks_before > 0) merged.bytes = blocks_before * kBlock;
  bad_block = bad;
  Row row(6, writes, kBlock, merged);
  CHECK_EQ(row.operations(), 1u);
  row.finish();
  bad_block = -1;
  for (size_t i = 0; i < row.tickets.size(); ++i) {
    CHECK_EQ(row.tickets[i]->result, i == bad ? -EIO : static_cast<int32_t>(kBlock));
    row.check_block(i, i != bad);
  }
  CHECK_EQ(row.operations(), 1u);  // alone means not in another batch
}

void bad_blocks_fail_alone() {
  for (bool writes : {false, true}) {
    for (uint32_t bad : {0u, 3u, 5u}) {
      for (uint64_t before = 0; before <= bad; ++before) one_bad_block_fails_alone(writes, bad, before);
    }
  }
}

// A merged read across the end of the file: whole, partial, and empty results.
void the_end_of_the_file() {
  set_context("a merged read across the end of the file");
  MockOptions options;
  options.held = true;
  Engine engine(options);
  const int fd = engine.create(2 * kBlock + 100, 1 << 16, kBlock);
  GuardedBuffer first(kBlock);
  GuardedBuffer buffer(5 * kBlock);
  engine.read(fd, first.data(), kBlock, 0);
  std::vector<std::shared_ptr<Ticket>> tickets;
  for (uint32_t i = 0; i < 5; ++i) {
    tickets.push_back(engine.read(fd, buffer.data() + i * kBlock, kBlock, static_cast<int64_t>(i * kBlock)));
  }
  engine.turn();
  CHECK_EQ(engine.mock().taken().size(), 2u);
  engine.mock().release();
  engine.until_idle();
  const int32_t expected[] = {512, 512, 100, 0, 0};
  for (uint32_t i = 0; i < 5; ++i) CHECK_EQ(tickets[i]->result, expected[i]);
  buffer.check_untouched(2 * kBlock + 100);
  close(fd);
}

// A direct read that crosses the size and fails with EIO is done again up to the size (XFS, delayed blocks
// behind the end); one that does not cross it has really failed.
void an_error_behind_the_end_of_the_file() {
  set_context("EIO of a direct read");
  constexpr uint64_t kSize = 4 * kBlock + 100;
  MockOptions options;
  options.delay_rounds_max = 0;
  Engine engine(options);
  const int fd = engine.create(kSize, 1 << 16, kBlock);
  for (uint64_t i = 0; i < kSize; ++i) engine.disk().bytes(fd)[i] = pattern(1, i);
  MockOutcome broken;
  broken.error = EIO;
  const struct {
    uint64_t bytes;
    uint64_t offset;
    int32_t expected;
  } kReads[] = {{16 * kBlock, 0, static_cast<int32_t>(kSize)},
                {8 * kBlock, 4 * kBlock, 100},
                {8 * kBlock, 3, static_cast<int32_t>(kSize) - 3},
                {4 * kBlock, 0, -EIO},
                {5 * kBlock, 0, -EIO},
                {kBlock, 5 * kBlock, -EIO}};
  for (const auto& read : kReads) {
    GuardedBuffer buffer(read.bytes);
    engine.mock().script(broken);
    const auto ticket = engine.read(fd, buffer.data(), read.bytes, static_cast<int64_t>(read.offset));
    engine.until_settled(ticket);
    CHECK_EQ(ticket->result, read.expected);
    for (int32_t i = 0; i < read.expected; ++i) {
      CHECK_EQ(buffer.data()[i], pattern(1, read.offset + static_cast<uint64_t>(i)));
    }
  }
  close(fd);
}

}  // namespace

int main() {
  neighbours_become_one();
  gaps_and_limits_stay();
  outcomes_are_shared_out();
  bad_blocks_fail_alone();
  the_end_of_the_file();
  an_error_behind_the_end_of_the_file();
  return 0;
}
