#include "jobs/copy_one_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/eintr.h"
#include "base/owned_fd.h"
#include "jobs/open_file.h"
#include "jobs/result_codes.h"

namespace ioengine {
namespace {

constexpr mode_t kAllBits = 07777;
constexpr uint32_t kCifsMagic = 0xff534d42;
constexpr uint32_t kSmbMagic = 0x517b;
constexpr uint32_t kSmb2Magic = 0xfe534d42;

// Where every fchmod(2) fails with EPERM, and copy_file_range(2) may for no reason.
bool is_windows_share(int fd) {
  struct statfs status;
  if (fstatfs(fd, &status) != 0) return false;
  const auto type = static_cast<uint32_t>(status.f_type);
  return type == kCifsMagic || type == kSmbMagic || type == kSmb2Magic;
}

// Bytes, 0 at the end of the source, or -errno.
int64_t write_through_memory(int from, int to, off_t offset, uint64_t left) {
  const size_t part = std::min<size_t>(left, limits::copy_buffer_bytes);
  const std::unique_ptr<char[]> buffer(new char[part]);
  ssize_t got;
  do {
    got = pread(from, buffer.get(), part, offset);
  } while (got == -1 && errno == EINTR);
  if (got == -1) return -errno;
  for (ssize_t done = 0; done < got;) {
    const ssize_t put = pwrite(to, buffer.get() + done, static_cast<size_t>(got - done), offset + done);
    if (put == -1 && errno == EINTR) continue;
    if (put == -1) return -errno;
    if (put == 0) return -EIO;
    done += put;
  }
  return got;
}

bool may_go_another_way(int error, int to) {
  switch (error) {
    case ENOSYS:
    case ENOTSUP:
    case EXDEV:
      return true;
    case EPERM:
      return is_windows_share(to);
    default:
      return false;
  }
}

class Copy final : public ResumableWork {
 public:
  explicit Copy(CopyFileJob* job) : job_(job) {}

  // kUnfinished where there is something to copy.
  int32_t open() {
    const int32_t source = without_eintr([this] { return ::open(job_->path.c_str(), O_RDONLY | O_CLOEXEC); });
    if (source < 0) return source;
    from_ = OwnedFd(source);
    struct stat from;
    if (fstat(source, &from) != 0) return -errno;
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (has(kCopyExclusive) ? O_EXCL : 0);
    const int32_t target =
        without_eintr([&] { return ::open(job_->target.c_str(), flags, from.st_mode & kAllBits); });
    if (target < 0) return target;
    to_ = OwnedFd(target);
    size_ = static_cast<uint64_t>(from.st_size);
    const int32_t result = prepare(from);
    return result == kUnfinished || result == 0 ? result : fail(result);
  }

  int32_t run(const TimeSlice& slice) override {
    held_.give_back();
    while (done_ < size_) {
      const int64_t bytes = copy_part();
      if (bytes == -EINTR) continue;
      if (bytes < 0) return fail(static_cast<int32_t>(bytes));
      if (bytes == 0) break;  // the source has become shorter
      done_ += static_cast<uint64_t>(bytes);
      // With too many descriptors held already, and where the process or the thread ends, it is copied to its
      // end.
      if (done_ < size_ && slice.is_over() && !job_->is_ending() && held_.take(kDescriptors))
        return kUnfinished;
    }
    return end();
  }

  bool is_in_file() const override { return true; }

 private:
  static constexpr size_t kDescriptors = 2;

  bool has(CopyFileOption option) const { return (job_->options & option) != 0; }

  // 0: there is nothing to copy.
  int32_t prepare(const struct stat& from) {
    if (!has(kCopyExclusive)) {
      struct stat to;
      if (fstat(to_.get(), &to) != 0) return -errno;
      if (from.st_dev == to.st_dev && from.st_ino == to.st_ino) return end();
      // A file that was made without permission to write, on ceph-fuse: EACCES, and there is nothing in it.
      if (ftruncate(to_.get(), 0) != 0 && (errno != EACCES || to.st_size > 0)) return -errno;
    }
    if (has(kCopyTimesAndOwner)) {
      const timespec times[2] = {from.st_atim, from.st_mtim};
      if (futimens(to_.get(), times) != 0 && !has(kCopyIgnoresTimes)) return -errno;
      // Whether it may be given away does not matter, as with cp -p.
      if (fchown(to_.get(), from.st_uid, from.st_gid) != 0) errno = 0;
    }
    if (fchmod(to_.get(), from.st_mode & kAllBits) != 0) {
      const int error = errno;
      if (error != EPERM || !is_windows_share(to_.get())) return -error;
    }
    if (has(kCopyClone) || has(kCopyCloneOnly)) {
      if (ioctl(to_.get(), FICLONE, from_.get()) == 0) return end();
      if (has(kCopyCloneOnly)) return -errno;
    }
    return kUnfinished;
  }

  // Inside the kernel, where extents may be shared.
  int64_t copy_part() {
    const auto part = static_cast<size_t>(std::min(size_ - done_, limits::copy_part_bytes));
    off_t offset = static_cast<off_t>(done_);
    if (in_kernel_) {
      off_t target = offset;
      const ssize_t bytes = copy_file_range(from_.get(), &offset, to_.get(), &target, part, 0);
      if (bytes > 0 || (bytes == 0 && done_ > 0)) return bytes;
      if (bytes == -1 && !may_go_another_way(errno, to_.get()) && errno != EINVAL && errno != EIO)
        return -errno;
      in_kernel_ = false;  // nothing at the start of a file: procfs
    }
    return write_through_memory(from_.get(), to_.get(), offset, part);
  }

  int32_t fail(int32_t error) {
    from_.close();
    to_.close();
    unlink(job_->target.c_str());
    return error;
  }

  int32_t end() {
    const int32_t source = close_once(from_.release());
    const int32_t target = close_once(to_.release());
    const int32_t result = source != 0 ? source : target;
    return result == 0 ? 0 : fail(result);
  }

  CopyFileJob* const job_;
  OwnedFd from_;
  OwnedFd to_;
  uint64_t size_ = 0;
  uint64_t done_ = 0;
  bool in_kernel_ = true;
  HeldDescriptors held_;
};

}  // namespace

int32_t CopyFileJob::begin(std::unique_ptr<ResumableWork>* work) {
  if (may_wait_on_open(path) || may_wait_on_open(target)) return kUnsupported;
  auto copy = std::make_unique<Copy>(this);
  const int32_t result = copy->open();
  if (result == kUnfinished) *work = std::move(copy);
  return result;
}

}  // namespace ioengine
