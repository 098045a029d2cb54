// What sysfs tells of a device's tags, and how engines share them (H32).
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdio>

#include "base/limits.h"
#include "jobs/device_tags.h"
#include "jobs/file_facts.h"
#include "test/check.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

void make_folder(const std::string& path) { CHECK(mkdir(path.c_str(), 0700) == 0); }

void write_line(const std::string& path, uint64_t value) {
  FILE* file = std::fopen(path.c_str(), "w");
  CHECK(file != nullptr);
  std::fprintf(file, "%llu\n", static_cast<unsigned long long>(value));
  std::fclose(file);
}

// A disk as sysfs shows it, in a folder of ours. 0 tags: a device that only passes requests on has no such
// file.
std::string make_disk(const std::string& name, uint32_t tags, uint32_t kib, uint32_t segments) {
  const std::string folder = temporary_folder() + "/" + name;
  make_folder(folder);
  make_folder(folder + "/queue");
  if (tags != 0) write_line(folder + "/queue/nr_requests", tags);
  write_line(folder + "/queue/max_sectors_kb", kib);
  write_line(folder + "/queue/max_segments", segments);
  return folder;
}

void put_on(const std::string& upper, const std::string& lower) {
  const std::string slaves = upper + "/slaves";
  if (access(slaves.c_str(), F_OK) != 0) make_folder(slaves);
  CHECK(symlink(lower.c_str(), (slaves + lower.substr(lower.rfind('/'))).c_str()) == 0);
}

void limits_are(const std::string& folder, uint32_t tags, uint64_t kib, uint32_t segments) {
  const DeviceQueueLimits found = device_queue_limits(folder);
  CHECK_EQ(found.tags, tags);
  CHECK_EQ(found.request_bytes, kib * 1024);
  CHECK_EQ(found.segments, segments);
}

void sysfs() {
  set_context("limits in sysfs");
  const std::string disk = make_disk("disk", 64, 1280, 168);
  limits_are(disk, 64, 1280, 168);
  make_folder(disk + "/part1");
  limits_are(disk + "/part1", 64, 1280, 168);
  limits_are(temporary_folder() + "/none", 0, 0, 0);
  // An encrypted volume on a RAID on a partition and a disk: the lowest of all.
  const std::string other = make_disk("other", 256, 512, 254);
  const std::string raid = make_disk("raid", 0, 4096, 64);
  put_on(raid, disk + "/part1");
  put_on(raid, other);
  limits_are(raid, 64, 512, 64);
  const std::string crypt = make_disk("crypt", 128, 256, 64);
  put_on(crypt, raid);
  limits_are(crypt, 64, 256, 64);
}

void a_real_device() {
  set_context("the device below the folder for temporary files");
  const int fd = open(temporary_folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat status;
  CHECK(fd >= 0 && fstat(fd, &status) == 0);
  DeviceTags* tags = tags_of_device(status.st_dev, fd);
  CHECK(tags->bound() > 0);
  CHECK(tags_of_device(status.st_dev, fd) == tags);
  // A number that no device has.
  DeviceTags* unknown = tags_of_device(makedev(4000, 77), fd);
  CHECK(unknown != tags);
  if (major(status.st_dev) != 0)
    CHECK_EQ(unknown->bound(),
             limits::device_tags_unknown - limits::device_tags_unknown / limits::device_tags_left);
  close(fd);
}

void parts_of_a_request() {
  set_context("tags of a request");
  DeviceTags tags;
  tags.set_limits({128, 1280 * 1024, 128});
  CHECK_EQ(tags.bound(), 112u);
  CHECK_EQ(tags.needed(4096, 1), 1u);
  CHECK_EQ(tags.needed(0, 1), 1u);
  CHECK_EQ(tags.needed(127 * 4096, 1), 1u);
  CHECK_EQ(tags.needed(128 * 4096, 1), 2u);
  CHECK_EQ(tags.needed(8 * 4096, 300), 3u);
  CHECK_EQ(tags.needed(uint64_t{1} << 30, 1), 112u);
  tags.set_limits({1, 0, 0});
  CHECK_EQ(tags.bound(), 1u);
  CHECK_EQ(tags.needed(uint64_t{1} << 40, 1000), 1u);
}

// An engine that takes as many as it gets.
uint32_t take_all(DeviceTags* tags, uint32_t held = 0) {
  uint32_t taken = 0;
  while (tags->take(1, held + taken)) ++taken;
  return taken;
}

void engines_share() {
  set_context("engines share the tags");
  DeviceTags tags;
  tags.set_limits({128, 0, 0});
  CHECK_EQ(take_all(&tags), 112u);
  // Another one does not stand still behind it.
  constexpr uint32_t kFew = 112 / limits::device_tags_floor;
  CHECK_EQ(take_all(&tags), kFew);
  CHECK_EQ(tags.held(), 112u + kFew);
  tags.engine_waits();
  tags.engine_waits();
  tags.give_back(112);  // the first, which may take no more than half now
  CHECK_EQ(take_all(&tags), 56u);
  CHECK_EQ(take_all(&tags, kFew), 56u - kFew);
  tags.engine_waits_no_more();
  tags.engine_waits_no_more();
  tags.give_back(56 + 56);
  CHECK_EQ(tags.held(), 0u);
}

void a_submission_that_slept() {
  set_context("a submission that slept");
  constexpr uint64_t kStep = limits::device_tags_raise_ns;
  DeviceTags tags;
  tags.set_limits({128, 0, 0});
  CHECK(tags.take(80, 0));
  tags.submission_slept(kStep);
  CHECK_EQ(tags.bound(), 40u);
  tags.set_limits({128, 0, 0});  // somebody opens a file meanwhile
  CHECK_EQ(tags.bound(), 40u);
  tags.recover(2 * kStep - 1);
  CHECK_EQ(tags.bound(), 40u);
  tags.recover(2 * kStep);
  CHECK_EQ(tags.bound(), 80u);
  tags.recover(3 * kStep);
  CHECK_EQ(tags.bound(), 112u);
  for (uint64_t i = 1; i < 20; ++i) tags.submission_slept(i * kStep);
  CHECK_EQ(tags.bound(), 112u / limits::device_tags_floor);
  tags.give_back(80);
}

void facts_have_tags() {
  set_context("tags in the facts of a file");
  const std::string path = temporary_folder() + "/file";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  FileFacts facts;
  CHECK(fd >= 0 && read_file_facts(fd, &facts) == 0);
  CHECK(facts.tags == nullptr);  // the page cache has no such bound
  const int direct = open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC);
  if (direct >= 0) {
    CHECK_EQ(read_file_facts(direct, &facts), 0);
    CHECK((facts.tags != nullptr) == (facts.kind != FileKind::kForeign && !facts.filesystem.memory_backed));
    close(direct);
  }
  close(fd);
}

}  // namespace

int main() {
  sysfs();
  a_real_device();
  parts_of_a_request();
  engines_share();
  a_submission_that_slept();
  facts_have_tags();
  return 0;
}
