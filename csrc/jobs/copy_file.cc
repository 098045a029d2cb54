#include "jobs/copy_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/limits.h"

namespace ioengine {
namespace {

constexpr mode_t kPermissions = 0777;
constexpr mode_t kAllBits = 07777;

// By way of memory of ours: bytes, 0 at the end, or -1.
ssize_t move_bytes(int from, int to, uint64_t offset, size_t size) {
  const size_t part = std::min<size_t>(size, limits::copy_buffer_bytes);
  const std::unique_ptr<char[]> buffer(new char[part]);
  const ssize_t got = pread(from, buffer.get(), part, static_cast<off_t>(offset));
  for (ssize_t done = 0; done < got;) {
    const ssize_t put =
        pwrite(to, buffer.get() + done, static_cast<size_t>(got - done), static_cast<off_t>(offset) + done);
    if (put <= 0) return -1;
    done += put;
  }
  return got;
}

// Inside the kernel, where extents may be shared; small files are quicker by read and write.
ssize_t copy_part(int from, int to, uint64_t offset, uint64_t left) {
  if (left > limits::copy_buffer_bytes) {
    auto in = static_cast<off_t>(offset), out = in;
    const ssize_t done = copy_file_range(from, &in, to, &out, std::min(left, limits::copy_part_bytes), 0);
    if (done > 0) return done;
  }
  return move_bytes(from, to, offset, left);
}

}  // namespace

bool FileCopy::open(const std::string& from, const std::string& to) {
  struct stat status;
  from_ = OwnedFd(::open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!from_.is_open() || fstat(from_.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  mode_ = status.st_mode & kAllBits;
  size_ = static_cast<uint64_t>(status.st_size);
  to_ = OwnedFd(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_ & kPermissions));
  return to_.is_open();
}

Copied FileCopy::copy_on(const TimeSlice& slice) {
  while (done_ < size_) {
    const ssize_t done = copy_part(from_.get(), to_.get(), done_, size_ - done_);
    if (done < 0) return Copied::kFailed;
    if (done == 0) break;
    done_ += static_cast<uint64_t>(done);
    if (done_ < size_ && slice.is_over()) return Copied::kTimeIsOver;
  }
  // Last: a write takes the bits of set-user-ID away.
  if (fchmod(to_.get(), mode_) != 0) return Copied::kFailed;
  return to_.close() ? Copied::kAll : Copied::kFailed;
}

}  // namespace ioengine
