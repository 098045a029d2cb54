// In front of the calls of the C library that the engine makes (ld --wrap): each can fail or move less than
// it was asked for. The build reads the names from here.
#include <dirent.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <new>

#include "faults/fault_plan.h"

using ioengine::faults::Action;
using ioengine::faults::Kind;
using ioengine::faults::next;
using ioengine::faults::Site;

namespace {

bool fails(const Action& action) {
  if (action.fails()) errno = action.value;
  return action.fails();
}

// A device takes and gives whole blocks; so large a unit suits each.
size_t shortened(int fd, size_t bytes) {
  constexpr size_t kUnit = 4096;
  const int flags = fcntl(fd, F_GETFL);
  const size_t unit = flags != -1 && (flags & O_DIRECT) != 0 ? kUnit : 1;
  const size_t half = bytes / 2 / unit * unit;
  return half > 0 ? half : bytes;
}

// The first vector, and about half of it.
iovec shortened(int fd, const iovec* vectors, int count) {
  int at = 0;
  while (at + 1 < count && vectors[at].iov_len == 0) ++at;
  return {vectors[at].iov_base, shortened(fd, vectors[at].iov_len)};
}

}  // namespace

extern "C" {

int __real_open64(const char* path, int flags, ...);
int __wrap_open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = static_cast<mode_t>((flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, unsigned) : 0u);
  va_end(more);
  return fails(next(Site::open64)) ? -1 : __real_open64(path, flags, mode);
}

int __real_openat64(int fd, const char* path, int flags, ...);
int __wrap_openat64(int fd, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = static_cast<mode_t>((flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, unsigned) : 0u);
  va_end(more);
  return fails(next(Site::openat64)) ? -1 : __real_openat64(fd, path, flags, mode);
}

// The kernel releases the descriptor whatever it answers.
int __real_close(int fd);
int __wrap_close(int fd) {
  const Action action = next(Site::close);
  const int status = __real_close(fd);
  return status == 0 && fails(action) ? -1 : status;
}

ssize_t __real_copy_file_range(int from, off64_t* in, int to, off64_t* out, size_t size, unsigned flags);
ssize_t __wrap_copy_file_range(int from, off64_t* in, int to, off64_t* out, size_t size, unsigned flags) {
  const Action action = next(Site::copy_file_range);
  if (fails(action)) return -1;
  return __real_copy_file_range(from, in, to, out, action.is_short() ? size / 2 : size, flags);
}

char* __real_realpath(const char* path, char* found);
char* __wrap_realpath(const char* path, char* found) {
  return fails(next(Site::realpath)) ? nullptr : __real_realpath(path, found);
}

void* __real_mmap64(void* at, size_t size, int protection, int flags, int fd, off64_t offset);
void* __wrap_mmap64(void* at, size_t size, int protection, int flags, int fd, off64_t offset) {
  return fails(next(Site::mmap64)) ? MAP_FAILED : __real_mmap64(at, size, protection, flags, fd, offset);
}

int __real_posix_memalign(void** memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void** memory, size_t alignment, size_t size) {
  const Action action = next(Site::posix_memalign);
  return action.fails() ? action.value : __real_posix_memalign(memory, alignment, size);
}

int __real_eventfd_write(int fd, eventfd_t count);
int __wrap_eventfd_write(int fd, eventfd_t count) {
  return next(Site::eventfd_write).kind == Kind::kLose ? 0 : __real_eventfd_write(fd, count);
}

// operator new[](size_t, std::nothrow): plain memory that may be refused.
void* __real__ZnamRKSt9nothrow_t(size_t size, const std::nothrow_t& tag);
void* __wrap__ZnamRKSt9nothrow_t(size_t size, const std::nothrow_t& tag) {
  return next(Site::nothrow_new).fails() ? nullptr : __real__ZnamRKSt9nothrow_t(size, tag);
}

// operator new(size_t, std::nothrow)
void* __real__ZnwmRKSt9nothrow_t(size_t size, const std::nothrow_t& tag);
void* __wrap__ZnwmRKSt9nothrow_t(size_t size, const std::nothrow_t& tag) {
  return next(Site::nothrow_new).fails() ? nullptr : __real__ZnwmRKSt9nothrow_t(size, tag);
}

}  // extern "C"

namespace {

constexpr long kCachestat = 451;

Action next_of(long number) {
  switch (number) {
    case SYS_getdents64:
      return next(Site::getdents64);
    case SYS_preadv2:
      return next(Site::preadv2);
    case SYS_openat2:
      return next(Site::openat2);
    case kCachestat:
      return next(Site::cachestat);
    case SYS_io_setup:
      return next(Site::io_setup);
    case SYS_io_submit:
      return next(Site::io_submit);
    case SYS_io_getevents:
      return next(Site::io_getevents);
    default:
      return {};
  }
}

}  // namespace

extern "C" {

// Six arguments, whatever the call has: the kernel looks at its own. AddressSanitizer would mind the others.
long __real_syscall(long number, ...);
__attribute__((no_sanitize("address"))) long __wrap_syscall(long number, ...) {
  long options[6];
  va_list more;
  va_start(more, number);
  for (long& one : options) one = va_arg(more, long);
  va_end(more);
  const Action action = next_of(number);
  if (fails(action)) return -1;
  if (action.is_short() && number == SYS_io_submit) options[1] = (options[1] + 1) / 2;
  if (action.is_short() && number == SYS_preadv2 && options[2] > 0) {
    const auto fd = static_cast<int>(options[0]);
    const iovec part =
        shortened(fd, reinterpret_cast<const iovec*>(options[1]), static_cast<int>(options[2]));
    return __real_syscall(number, options[0], &part, 1L, options[3], options[4], options[5]);
  }
  return __real_syscall(number, options[0], options[1], options[2], options[3], options[4], options[5]);
}

}  // extern "C"

#define PASS(...) __VA_ARGS__

// A call that returns -1 and sets errno.
#define WRAP(result, name, parameters, arguments)                   \
  extern "C" result __real_##name(parameters);                      \
  extern "C" result __wrap_##name(parameters) {                     \
    return fails(next(Site::name)) ? -1 : __real_##name(arguments); \
  }

#define WRAP_BYTES(name, type, more_parameters, more_arguments)                                      \
  extern "C" ssize_t __real_##name(int fd, type memory, size_t size more_parameters);                \
  extern "C" ssize_t __wrap_##name(int fd, type memory, size_t size more_parameters) {               \
    const Action action = next(Site::name);                                                          \
    if (fails(action)) return -1;                                                                    \
    return __real_##name(fd, memory, action.is_short() ? shortened(fd, size) : size more_arguments); \
  }

#define WRAP_VECTORS(name, more_parameters, more_arguments)                                        \
  extern "C" ssize_t __real_##name(int fd, const iovec* vectors, int count more_parameters);       \
  extern "C" ssize_t __wrap_##name(int fd, const iovec* vectors, int count more_parameters) {      \
    const Action action = next(Site::name);                                                        \
    if (fails(action)) return -1;                                                                  \
    if (!action.is_short() || count == 0) return __real_##name(fd, vectors, count more_arguments); \
    const iovec part = shortened(fd, vectors, count);                                              \
    return __real_##name(fd, &part, 1 more_arguments);                                             \
  }

#define COMMA ,

WRAP_BYTES(read, void*, , )
WRAP_BYTES(write, const void*, , )
WRAP_BYTES(pread64, void*, COMMA off64_t offset, COMMA offset)
WRAP_BYTES(pwrite64, const void*, COMMA off64_t offset, COMMA offset)
WRAP_VECTORS(readv, , )
WRAP_VECTORS(writev, , )
WRAP_VECTORS(preadv64, COMMA off64_t offset, COMMA offset)
WRAP_VECTORS(pwritev64, COMMA off64_t offset, COMMA offset)

WRAP(int, fsync, PASS(int fd), PASS(fd))
WRAP(int, fdatasync, PASS(int fd), PASS(fd))
WRAP(int, ftruncate64, PASS(int fd, off64_t length), PASS(fd, length))
WRAP(int, statx, PASS(int fd, const char* path, int flags, unsigned mask, struct statx* status),
     PASS(fd, path, flags, mask, status))
WRAP(int, fstat64, PASS(int fd, struct stat64* status), PASS(fd, status))
WRAP(int, lstat64, PASS(const char* path, struct stat64* status), PASS(path, status))
WRAP(int, stat64, PASS(const char* path, struct stat64* status), PASS(path, status))
WRAP(int, fstatfs64, PASS(int fd, struct statfs64* status), PASS(fd, status))
WRAP(int, mkdir, PASS(const char* path, mode_t mode), PASS(path, mode))
WRAP(int, rmdir, PASS(const char* path), PASS(path))
WRAP(int, unlink, PASS(const char* path), PASS(path))
WRAP(int, unlinkat, PASS(int fd, const char* path, int flags), PASS(fd, path, flags))
WRAP(int, rename, PASS(const char* from, const char* to), PASS(from, to))
WRAP(int, link, PASS(const char* from, const char* to), PASS(from, to))
WRAP(int, symlink, PASS(const char* text, const char* path), PASS(text, path))
WRAP(ssize_t, readlink, PASS(const char* path, char* text, size_t size), PASS(path, text, size))
WRAP(int, chmod, PASS(const char* path, mode_t mode), PASS(path, mode))
WRAP(int, fchmod, PASS(int fd, mode_t mode), PASS(fd, mode))
WRAP(int, chown, PASS(const char* path, uid_t user, gid_t group), PASS(path, user, group))
WRAP(int, lchown, PASS(const char* path, uid_t user, gid_t group), PASS(path, user, group))
WRAP(int, access, PASS(const char* path, int mode), PASS(path, mode))
WRAP(int, munmap, PASS(void* memory, size_t size), PASS(memory, size))
WRAP(int, madvise, PASS(void* memory, size_t size, int advice), PASS(memory, size, advice))
