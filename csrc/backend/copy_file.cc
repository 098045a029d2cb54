#include "backend/copy_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/clock.h"
#include "base/limits.h"

namespace ioengine {
namespace {

constexpr mode_t kPermissions = 0777;
constexpr mode_t kAllBits = 07777;

class File {
 public:
  File(const std::string& path, int flags, mode_t mode) : fd_(open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ != -1) ::close(fd_);
  }
  int fd() const { return fd_; }
  bool is_open() const { return fd_ != -1; }
  bool close() {
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd) == 0;
  }

 private:
  int fd_;
};

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

Copied copy_file(const std::string& from, const std::string& to, uint64_t* offset, uint64_t deadline_ns) {
  struct stat status;
  File in(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
  if (!in.is_open() || fstat(in.fd(), &status) != 0 || !S_ISREG(status.st_mode)) return Copied::kFailed;
  const int make = *offset == 0 ? O_CREAT | O_EXCL : O_NOFOLLOW;
  // Writable until it is complete: it may be opened again.
  File out(to, O_WRONLY | make, (status.st_mode & kPermissions) | S_IWUSR);
  if (!out.is_open()) return Copied::kFailed;
  const auto size = static_cast<uint64_t>(status.st_size);
  while (*offset < size) {
    const ssize_t done = copy_part(in.fd(), out.fd(), *offset, size - *offset);
    if (done < 0) return Copied::kFailed;
    if (done == 0) break;
    *offset += static_cast<uint64_t>(done);
    if (*offset < size && monotonic_ns() > deadline_ns)
      return out.close() ? Copied::kTimeIsOver : Copied::kFailed;
  }
  // Last: a write takes the bits of set-user-ID away.
  if (fchmod(out.fd(), status.st_mode & kAllBits) != 0) return Copied::kFailed;
  return out.close() ? Copied::kAll : Copied::kFailed;
}

}  // namespace ioengine
