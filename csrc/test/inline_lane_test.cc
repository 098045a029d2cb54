// The inline lane: a budget per turn, trust in the page cache that is earned and lost, and ends of files.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <vector>

#include "base/limits.h"
#include "scheduler/inline_lane.h"
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

constexpr uint64_t kSize = 256 * 1024;

int file_with_pattern() {
  const std::string path = temporary_folder() + "/inline";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  std::vector<uint8_t> content(kSize);
  for (uint64_t i = 0; i < kSize; ++i) content[i] = pattern(1, i);
  CHECK_EQ(pwrite(fd, content.data(), kSize, 0), static_cast<ssize_t>(kSize));
  return fd;
}

void learn(Descriptor* descriptor) {
  CHECK(read_file_facts(descriptor->fd, &descriptor->facts) == 0);
  descriptor->knowledge = Knowledge::kKnown;
}

// Until reads of the file no longer update its access time: within a tick of the kernel's clock after a write
// each of them does.
void read_until_quiet(Descriptor* descriptor) {
  uint8_t byte;
  for (int i = 0; i < 1000; ++i) {
    InlineLane lane;
    lane.start_turn();
    if (lane.is_cached(descriptor, 0, 1)) break;
    CHECK_EQ(pread(descriptor->fd, &byte, 1, 0), 1);
    descriptor->access_time_trial.read_was_served();
    usleep(5000);
  }
  InlineLane::distrust(descriptor);
}

// Out of the page cache: this file's own pages, and nobody else's.
void make_cold(int fd) {
  CHECK(fsync(fd) == 0);
  CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
}

void the_budget(int fd) {
  set_context("the budget of a turn");
  Descriptor descriptor(fd);
  learn(&descriptor);
  InlineLane lane;
  uint8_t byte;
  iovec vector = {&byte, 1};
  lane.start_turn();
  uint32_t served = 0;
  while (lane.has_budget(1)) {
    CHECK_EQ(lane.read(&descriptor, &vector, 1, 0, 1), 1);
    CHECK(++served <= limits::inline_operations);
  }
  CHECK(served >= 15);  // the clock is read at every 16th
  CHECK(!lane.has_budget(1));
  lane.start_turn();
  CHECK(lane.has_budget(1));
  for (uint32_t i = 0; i < limits::inline_operations; ++i) lane.charge();
  CHECK(!lane.has_budget(0));

  std::vector<uint8_t> memory(limits::inline_read_bytes);
  vector = {memory.data(), memory.size()};
  // A turn in which this thread did not run for a while ends by the clock: that one says nothing about bytes.
  uint64_t bytes = 0;
  for (int turn = 0; turn < 1000 && bytes != limits::inline_bytes; ++turn) {
    lane.start_turn();
    bytes = 0;
    while (lane.has_budget(memory.size())) {
      bytes += static_cast<uint64_t>(lane.read(&descriptor, &vector, 1, 0, memory.size()));
      CHECK(bytes <= limits::inline_bytes);
    }
  }
  CHECK_EQ(bytes, limits::inline_bytes);
  // One that is larger than the budget by itself is still served, alone.
  lane.start_turn();
  CHECK(lane.has_budget(limits::inline_bytes * 2));
}

void credit_grows_and_is_lost(int fd) {
  set_context("credit");
  Descriptor descriptor(fd);
  learn(&descriptor);
  read_until_quiet(&descriptor);
  InlineLane lane;
  lane.start_turn();
  CHECK(lane.is_cached(&descriptor, 0, 4096));
  CHECK_EQ(descriptor.warm_credit, 1u);
  CHECK(lane.is_cached(&descriptor, 4096, 4096));  // on credit
  CHECK_EQ(descriptor.warm_credit, 0u);
  CHECK(lane.is_cached(&descriptor, 8192, 4096));
  CHECK_EQ(descriptor.warm_credit, 3u);
  for (int i = 0; i < 2000; ++i) CHECK(lane.is_cached(&descriptor, 0, 4096));
  CHECK_EQ(descriptor.warm_streak, limits::warm_credit_max);
  CHECK(descriptor.warm_credit <= limits::warm_credit_max);
  InlineLane::distrust(&descriptor);
  CHECK_EQ(descriptor.warm_credit, 0u);
  CHECK_EQ(descriptor.warm_streak, 0u);

  make_cold(fd);
  descriptor.warm_streak = 10;
  if (lane.is_cached(&descriptor, 0, kSize)) {
    std::printf("the page cache keeps the file: no cold read\n");
    return;
  }
  CHECK_EQ(descriptor.warm_streak, 0u);
  // With credit a cold read is tried, would have to wait, and takes the credit away.
  descriptor.warm_credit = descriptor.warm_streak = 10;
  std::vector<uint8_t> memory(kSize);
  iovec vector = {memory.data(), kSize};
  CHECK(lane.is_cached(&descriptor, 0, kSize));
  const int32_t status = lane.read(&descriptor, &vector, 1, 0, kSize);
  CHECK(status == -EAGAIN || (status > 0 && static_cast<uint64_t>(status) <= kSize));
  if (status == -EAGAIN) CHECK_EQ(descriptor.warm_credit, 0u);
}

void ends(int fd) {
  set_context("ends of files");
  Descriptor descriptor(fd);
  learn(&descriptor);
  CHECK(!InlineLane::ends_at(&descriptor, 0));
  CHECK(!InlineLane::ends_at(&descriptor, kSize - 1));
  CHECK(InlineLane::ends_at(&descriptor, kSize));
  CHECK(InlineLane::ends_at(&descriptor, kSize + 1));
  CHECK_EQ(lseek(fd, 5, SEEK_SET), 5);
  CHECK(!InlineLane::ends_at(&descriptor, -1));
  CHECK_EQ(lseek(fd, 0, SEEK_END), static_cast<off_t>(kSize));
  CHECK(InlineLane::ends_at(&descriptor, -1));
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  descriptor.facts.kind = FileKind::kBlock;  // a device does not say
  CHECK(!InlineLane::ends_at(&descriptor, kSize + 1));

  // The file grew since its facts were read, or shrank.
  learn(&descriptor);
  read_until_quiet(&descriptor);
  InlineLane lane;
  lane.start_turn();
  CHECK(lane.is_cached(&descriptor, kSize, 4096));  // nothing to wait for
  CHECK(ftruncate(fd, 100) == 0);
  CHECK(InlineLane::ends_at(&descriptor, 100));
  CHECK(ftruncate(fd, kSize) == 0);
}

// A read of which only the first pages are cached is finished elsewhere, never reported short (H17).
void partly_cached(int fd) {
  for (BackendType type : {BackendType::kUring, BackendType::kAio, BackendType::kThreads}) {
    set_context(std::string("a partly cached read, ") + backend_type_name(type));
    Engine engine(type, 32);
    if (!engine.ok()) continue;
    const int own = engine.open(temporary_folder() + "/inline", O_RDWR);
    std::vector<uint8_t> expected(kSize);
    for (uint64_t i = 0; i < kSize; ++i) expected[i] = pattern(1, i);
    CHECK_EQ(pwrite(fd, expected.data(), kSize, 0), static_cast<ssize_t>(kSize));
    GuardedBuffer buffer(64 * 1024);
    // Earns credit, once the access time is up to date.
    const auto inline_reads = [&engine] {
      return engine->statistics().lanes[static_cast<size_t>(Lane::kInline)].operations;
    };
    for (int i = 0; i < 100000 && inline_reads() < 100; ++i) {
      engine.until_settled(engine.read(own, buffer.data(), 4096, 0));
    }
    CHECK(inline_reads() >= 100);
    make_cold(fd);
    CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM) == 0);
    uint8_t byte;
    CHECK_EQ(pread(fd, &byte, 1, 0), 1);  // one page
    const auto ticket = engine.read(own, buffer.data(), buffer.size(), 0);
    engine.until_settled(ticket);
    CHECK_EQ(ticket->result, 64 * 1024);
    for (uint64_t i = 0; i < buffer.size(); ++i) CHECK_EQ(buffer.data()[i], pattern(1, i));
    CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL) == 0);
    engine.until_settled(engine.close(own));
  }
}

}  // namespace

int main() {
  const int fd = file_with_pattern();
  Descriptor descriptor(fd);
  learn(&descriptor);
  read_until_quiet(&descriptor);
  InlineLane lane;
  lane.start_turn();
  if (!lane.is_cached(&descriptor, 0, 1)) {
    return skipped("this kernel has no cachestat(2), or the folder for temporary files no RWF_NOWAIT");
  }
  the_budget(fd);
  credit_grows_and_is_lost(fd);
  ends(fd);
  partly_cached(fd);
  close(fd);
  return 0;
}
