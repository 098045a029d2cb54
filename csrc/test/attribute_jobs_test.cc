// Jobs behind copyFile, opendir and utimes: what the kernel gets, and what is left where something goes
// wrong.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "jobs/copy_one_file.h"
#include "jobs/directory_stream.h"
#include "jobs/path_syscalls.h"
#include "jobs/times.h"
#include "test/check.h"
#include "test/workload.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

constexpr int kFiles = 3000;

std::string in_folder(const std::string& name) { return temporary_folder() + "/" + name; }

void make_file(const std::string& path, off_t size, mode_t mode = 0600) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, mode);
  CHECK(fd != -1);
  CHECK_EQ(ftruncate(fd, size), 0);
  ::close(fd);
}

off_t size_of(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 ? status.st_size : -1;
}

void times_are_rounded_as_libuv_does() {
  const timespec fine = to_timespec(1.9999999, false), coarse = to_timespec(1.9999999, true);
  CHECK_EQ(fine.tv_sec, 1);
  CHECK(fine.tv_nsec > 999999890 && fine.tv_nsec < 999999910);
  CHECK_EQ(coarse.tv_nsec, 999999000);
  const timespec before = to_timespec(-1.25, false);
  CHECK_EQ(before.tv_sec, -2);
  CHECK_EQ(before.tv_nsec, 750000000);
}

void a_copy_that_fails_is_removed() {
  set_context("a copy that cannot be cloned");
  make_file(in_folder("from"), 1000);
  // A directory can be opened, and not be read.
  CopyFileJob directory(temporary_folder(), in_folder("to"), 0);
  CHECK_EQ(directory.run(), -EISDIR);
  CHECK_EQ(size_of(in_folder("to")), -1);
  CopyFileJob missing(in_folder("none"), in_folder("to"), 0);
  CHECK_EQ(missing.run(), -ENOENT);
  CopyFileJob copied(in_folder("from"), in_folder("to"), kCopyTimesAndOwner);
  CHECK_EQ(copied.run(), 0);
  CHECK_EQ(size_of(in_folder("to")), 1000);
  CopyFileJob exclusive(in_folder("from"), in_folder("to"), kCopyExclusive);
  CHECK_EQ(exclusive.run(), -EEXIST);
  CHECK_EQ(size_of(in_folder("to")), 1000);
  CopyFileJob same(in_folder("from"), in_folder("from"), 0);
  CHECK_EQ(same.run(), 0);
  CHECK_EQ(size_of(in_folder("from")), 1000);
}

void a_large_copy_takes_time_slices() {
  set_context("a copy that is longer than a slice");
  const off_t size = off_t{256} << 20;
  make_file(in_folder("large"), size);
  CopyFileJob job(in_folder("large"), in_folder("large copy"), 0);
  int32_t result;
  do {
    result = job.run();
    CHECK(result == 0 || (result == kUnfinished && job.is_in_file()));
  } while (result != 0);
  CHECK_EQ(size_of(in_folder("large copy")), size);
}

void a_directory_is_read_in_parts() {
  set_context("a directory that is read in parts");
  const std::string path = in_folder("directory");
  CHECK_EQ(mkdir(path.c_str(), 0700), 0);
  for (int i = 0; i < kFiles; ++i) make_file(path + "/" + std::to_string(i), 0);
  OpenDirectoryJob job(path);
  CHECK_EQ(job.run(), 0);
  std::string text;
  CHECK_EQ(job.stream->read(7, true, &text), 7);
  int found = 7;
  for (;;) {
    text.clear();
    const int32_t count = job.stream->read(1, false, &text);
    if (count == 0) break;
    CHECK(count > 1 && count < kFiles);  // what one call of the kernel lists
    found += count;
  }
  CHECK_EQ(found, kFiles);
  CHECK_EQ(job.stream->read(1, true, &text), 0);
  CHECK_EQ(job.stream->close(), 0);
  CHECK_EQ(job.stream->close(), -EBADF);
  CHECK_EQ(job.stream->read(1, true, &text), -EBADF);
  OpenDirectoryJob none(path + "/none");
  CHECK_EQ(none.run(), -ENOENT);
}

}  // namespace

int main() {
  times_are_rounded_as_libuv_does();
  a_copy_that_fails_is_removed();
  a_large_copy_takes_time_slices();
  a_directory_is_read_in_parts();
  return 0;
}
