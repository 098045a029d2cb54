// H33: what the inline lane leaves to others although the pages are in memory: reads that update the access
// time, closes that would write the file out; and its fuse, for what nobody foresaw.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "scheduler/inline_lane.h"
#include "scheduler/known_mounts.h"
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

constexpr uint64_t kSize = 64 * 1024;

std::string path() { return temporary_folder() + "/guarded"; }

int fresh_file() {
  const int fd = open(path().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  const std::vector<uint8_t> content(kSize, 7);
  CHECK_EQ(pwrite(fd, content.data(), kSize, 0), static_cast<ssize_t>(kSize));
  return fd;
}

void learn(Descriptor* descriptor) {
  CHECK(read_file_facts(descriptor->fd, &descriptor->facts) == 0);
  descriptor->knowledge = Knowledge::kKnown;
}

bool is_cached(Descriptor* descriptor) {
  InlineLane lane;
  lane.start_turn();
  descriptor->quiet_since_ns = 0;
  return lane.is_cached(descriptor, 0, 4096);
}

void read_elsewhere(Descriptor* descriptor) {
  uint8_t byte;
  CHECK_EQ(pread(descriptor->fd, &byte, 1, 0), 1);
  descriptor->access_time_trial.read_was_served();
}

// Reads, 5 ms apart, until one would be quiet; how many it took.
int reads_until_quiet(Descriptor* descriptor) {
  int reads = 0;
  for (; !is_cached(descriptor); ++reads) {
    CHECK(reads < 2000);
    read_elsewhere(descriptor);
    usleep(5000);
  }
  return reads;
}

// The kernel's clock for changes may be some ticks behind that for accesses: the change is made until it is
// later.
void change_until_due(Descriptor* descriptor, const std::function<void()>& change) {
  for (int i = 0; i == 0 || is_cached(descriptor); ++i) {
    CHECK(i < 1000);
    usleep(5000);
    change();
  }
}

void an_update_that_is_due(int fd) {
  set_context("an update of the access time that is due");
  Descriptor descriptor(fd);
  learn(&descriptor);
  if (descriptor.facts.filesystem.access_times != AccessTimes::kRelative) {
    std::printf("the folder for temporary files is not mounted relatime\n");
    return;
  }
  CHECK(!is_cached(&descriptor));
  CHECK(reads_until_quiet(&descriptor) > 0);
  CHECK(is_cached(&descriptor));
  // Written by somebody, a day old, or older than the last change of its attributes.
  change_until_due(&descriptor, [fd] { CHECK_EQ(pwrite(fd, "x", 1, 0), 1); });
  CHECK(reads_until_quiet(&descriptor) > 0);
  change_until_due(&descriptor, [fd] {
    const timespec times[2] = {{time(nullptr) - 2 * 24 * 60 * 60, 0}, {0, UTIME_OMIT}};
    CHECK(futimens(fd, times) == 0);
  });
  CHECK(reads_until_quiet(&descriptor) > 0);
  change_until_due(&descriptor, [fd] { CHECK(fchmod(fd, 0640) == 0); });
  CHECK(reads_until_quiet(&descriptor) > 0);

  descriptor.facts.filesystem.access_times = AccessTimes::kAlways;
  CHECK(!is_cached(&descriptor));
  descriptor.facts.filesystem.access_times = AccessTimes::kNever;
  CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
  CHECK(is_cached(&descriptor));
}

void o_noatime() {
  set_context("O_NOATIME");
  Descriptor descriptor(open(path().c_str(), O_RDONLY | O_NOATIME | O_CLOEXEC));
  CHECK(descriptor.fd >= 0);
  learn(&descriptor);
  CHECK(descriptor.facts.filesystem.access_times == AccessTimes::kNever);
  close(descriptor.fd);
}

// The mount keeps access times, the file does not: reads are not sent away for ever.
void an_update_that_never_comes(int fd) {
  set_context("a file with chattr +A");
  int flags = 0;
  if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) return;
  flags |= FS_NOATIME_FL;
  if (ioctl(fd, FS_IOC_SETFLAGS, &flags) != 0) {
    std::printf("the folder for temporary files takes no file flags\n");
    return;
  }
  Descriptor descriptor(fd);
  learn(&descriptor);
  change_until_due(&descriptor, [fd] { CHECK_EQ(pwrite(fd, "x", 1, 0), 1); });
  CHECK(reads_until_quiet(&descriptor) > 0);
  flags &= ~FS_NOATIME_FL;
  // Its times have changed: the next read has to show anew what it does.
  change_until_due(&descriptor, [fd, &flags] { CHECK(ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0); });
}

void closes(int fd) {
  set_context("closes");
  FileFacts facts;
  CHECK(read_file_facts(fd, &facts) == 0);
  InlineLane lane;
  lane.start_turn();
  CHECK(lane.has_budget(0));
  CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
  CHECK(!lane.closes_at_once(fd, facts, kSize, 1));  // a dirty page
  // Somebody has closed it since it changed: that was the close that writes out.
  facts.changed_ns = 0;
  lane.closed_elsewhere(facts);
  CHECK(!lane.closes_at_once(fd, facts, kSize, 1));
  facts.changed_ns = 1;
  lane.closed_elsewhere(facts);
  CHECK(lane.closes_at_once(fd, facts, kSize, 1));
  CHECK(!lane.closes_at_once(fd, facts, kSize, 2));  // and changed since
  CHECK(fsync(fd) == 0);
  CHECK(lane.closes_at_once(fd, facts, kSize, 2));
  CHECK(!lane.closes_at_once(fd, facts, limits::inline_close_bytes + 1, 2));
  FileFacts overlay = facts;
  overlay.filesystem = FilesystemTraits();
  CHECK(!lane.closes_at_once(fd, overlay, kSize, 2));
  CHECK(!lane.closes_at_once(fd, overlay, 0, 2));
  lane.closed_elsewhere(overlay);
  CHECK(!lane.closes_at_once(fd, overlay, kSize, overlay.changed_ns));
  lane.fuse()->bar(facts.mount);
  CHECK(!lane.closes_at_once(fd, facts, kSize, 2));
}

void knowledge_belongs_to_the_mount() {
  set_context("known mounts");
  KnownMounts known;
  const FilesystemTraits ext4 = filesystem_traits(0xef53, 0);
  const uint64_t device = makedev(7, 1);
  CHECK(known.wants({1, device}));
  CHECK(!known.wants({1, makedev(0, 40)}));
  known.learn({1, device}, ext4);
  CHECK(known.find({1, device}) != nullptr);
  CHECK(known.find({2, device}) == nullptr);  // the next mount of the device: ext4 or not
  CHECK(known.wants({2, device}));
  for (uint64_t mount = 2; mount < 1000; ++mount) known.learn({mount, device}, ext4);
  CHECK(known.find({999, device}) != nullptr);
  CHECK(known.find({1, device}) == nullptr);
}

uint64_t slept_call(InlineFuse* fuse, uint64_t mount, useconds_t microseconds) {
  fuse->start_turn(monotonic_ns());
  const uint64_t before = monotonic_ns();
  usleep(microseconds);
  fuse->check(mount, before);
  const uint64_t after = monotonic_ns();
  fuse->start_turn(after);
  return after;
}

void wait_for_the_end_of_the_bar(InlineFuse* fuse, uint64_t mount) {
  while (fuse->bars(mount)) {
    usleep(1000);
    fuse->start_turn(monotonic_ns());
  }
}

void the_fuse() {
  set_context("the fuse");
  InlineFuse fuse;
  CHECK(!fuse.bars(1));
  const uint64_t first = slept_call(&fuse, 1, 3000);
  CHECK(fuse.bars(1) && !fuse.bars(2) && !fuse.bars(InlineFuse::kLookups));
  CHECK_EQ(fuse.times(), 1u);
  CHECK_EQ(fuse.barred_mounts(), 1u);
  wait_for_the_end_of_the_bar(&fuse, 1);
  CHECK(monotonic_ns() - first >= limits::inline_bar_ns - 10 * 1000 * 1000);
  CHECK_EQ(fuse.barred_mounts(), 0u);
  // Again, and for twice as long.
  const uint64_t second = slept_call(&fuse, 1, 3000);
  CHECK(fuse.bars(1));
  wait_for_the_end_of_the_bar(&fuse, 1);
  CHECK(monotonic_ns() - second >= 2 * limits::inline_bar_ns - 10 * 1000 * 1000);
  // While it is up, slow opens in the pool keep it up.
  slept_call(&fuse, 1, 3000);
  usleep(1000);
  fuse.opened_elsewhere(1, 300 * 1000);
  fuse.opened_elsewhere(2, limits::inline_slow_ns * 10);
  CHECK(!fuse.bars(2));
  const uint64_t prolonged = monotonic_ns();
  fuse.opened_elsewhere(1, limits::inline_slow_ns + 1);
  wait_for_the_end_of_the_bar(&fuse, 1);
  CHECK(monotonic_ns() - prolonged >= 4 * limits::inline_bar_ns - 10 * 1000 * 1000);
  CHECK_EQ(fuse.times(), 3u);
}

// A call that took long without sleeping was copying, or its thread was preempted: that is nobody's fault.
void busy_is_not_asleep() {
  set_context("a busy call");
  InlineFuse fuse;
  for (int attempt = 0;; ++attempt) {
    CHECK(attempt < 100);
    rusage usage = {};
    fuse.start_turn(monotonic_ns() + uint64_t{1000} * 1000 * 1000 * static_cast<uint64_t>(attempt));
    getrusage(RUSAGE_THREAD, &usage);
    const long switches = usage.ru_nvcsw;
    const uint64_t before = monotonic_ns();
    while (monotonic_ns() - before < 3 * limits::inline_slow_ns) {
    }
    fuse.check(5, before);
    getrusage(RUSAGE_THREAD, &usage);
    if (usage.ru_nvcsw == switches) break;  // a page fault may put any thread to sleep
  }
  CHECK_EQ(fuse.times(), 0u);
}

// The coarse clock is enough for reads, the first of a turn and later ones.
void slow_reads() {
  set_context("slow reads");
  InlineFuse fuse;
  const auto turn = [&fuse](int reads_before) {
    fuse.start_turn(monotonic_ns());
    bool first = true;
    for (int i = 0; i < reads_before; ++i) {
      const uint64_t before = fuse.before_read(first);
      if (first || before != 0) fuse.check_read(9, before, 1);
      first = false;
    }
    const uint64_t before = fuse.before_read(first);
    usleep(15000);
    if (first || before != 0) fuse.check_read(9, before, 1);
    fuse.end_turn();
  };
  turn(0);
  CHECK_EQ(fuse.times(), 1u);
  InlineFuse other;
  std::swap(fuse, other);
  turn(3);
  CHECK_EQ(fuse.times(), 0u);  // JavaScript may have slept between the reads
  turn(3);
  CHECK_EQ(fuse.times(), 1u);  // not this time
}

}  // namespace

int main() {
  the_fuse();
  busy_is_not_asleep();
  slow_reads();
  knowledge_belongs_to_the_mount();
  const int fd = fresh_file();
  Descriptor descriptor(fd);
  learn(&descriptor);
  if (!descriptor.facts.filesystem.nowait_reads)
    return skipped("the folder for temporary files has no RWF_NOWAIT");
  an_update_that_is_due(fd);
  o_noatime();
  an_update_that_never_comes(fd);
  closes(fd);
  close(fd);
  return 0;
}
