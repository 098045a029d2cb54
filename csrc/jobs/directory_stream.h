// opendir: a directory that is open, and read a part at a time, so that one of a million names is never in
// memory as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/owned_fd.h"
#include "jobs/directory_entries.h"
#include "jobs/path_job.h"

namespace ioengine {

class DirectoryStream {
 public:
  DirectoryStream(std::string path, OwnedFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  const std::string& path() const { return path_; }
  // The next entries, in the order in which the kernel lists them: each name with a slash behind it, and then
  // one byte for the type of each, as libuv numbers them. `most` of them; or, where `exact` is false, all
  // that have been listed with these. Returns their number, 0 at the end, or -errno.
  int32_t read(size_t most, bool exact, std::string* text);
  int32_t close();  // 0 or -errno

 private:
  bool list_more(int32_t* error);

  const std::string path_;
  std::mutex mutex_;  // one call at a time is JavaScript's duty
  OwnedFd fd_;
  Entries entries_;  // what one call of the kernel has listed
  size_t next_ = 0;  // of these
  bool ended_ = false;
};

struct OpenDirectoryJob final : PathJob {
  using PathJob::PathJob;
  int32_t run() override;
  std::shared_ptr<DirectoryStream> stream;  // when the result is 0
};

struct ReadEntriesJob final : TextJob {
  ReadEntriesJob(std::shared_ptr<DirectoryStream> stream, size_t most, bool exact)
      : TextJob(stream->path()), stream(std::move(stream)), most(most), exact(exact) {}
  int32_t run() override { return stream->read(most, exact, &found); }
  const std::shared_ptr<DirectoryStream> stream;
  const size_t most;
  const bool exact;
};

struct CloseDirectoryJob final : PathJob {
  explicit CloseDirectoryJob(std::shared_ptr<DirectoryStream> stream)
      : PathJob(stream->path()), stream(std::move(stream)) {}
  int32_t run() override { return stream->close(); }
  const std::shared_ptr<DirectoryStream> stream;
};

}  // namespace ioengine
