// statx(2), which musl has had as a function only since 1.2.5: what is built with newer headers must load
// with older ones too. glibc's own, of 2.28, also has an answer where a seccomp filter refuses the call with
// ENOSYS.
#pragma once

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ioengine {

inline int statx_at(int directory, const char* path, int flags, unsigned mask, struct statx* status) {
#ifdef __GLIBC__
  return ::statx(directory, path, flags, mask, status);
#else
  return static_cast<int>(syscall(SYS_statx, directory, path, flags, mask, status));
#endif
}

}  // namespace ioengine
