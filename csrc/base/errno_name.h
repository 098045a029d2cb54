// Names of the error numbers with which a backend may fail to start. strerrorname_np(3) has them all, in
// glibc 2.32 and newer.
#pragma once

#include <cerrno>
#include <string>

namespace ioengine {

inline std::string errno_name(int error_number) {
  switch (error_number) {
#define IOE_ERRNO_NAME(name) \
  case name:                 \
    return #name;
    IOE_ERRNO_NAME(EPERM)
    IOE_ERRNO_NAME(EIO)
    IOE_ERRNO_NAME(ENXIO)
    IOE_ERRNO_NAME(EBADF)
    IOE_ERRNO_NAME(EAGAIN)
    IOE_ERRNO_NAME(ENOMEM)
    IOE_ERRNO_NAME(EACCES)
    IOE_ERRNO_NAME(EFAULT)
    IOE_ERRNO_NAME(EBUSY)
    IOE_ERRNO_NAME(EEXIST)
    IOE_ERRNO_NAME(ENODEV)
    IOE_ERRNO_NAME(EINVAL)
    IOE_ERRNO_NAME(ENFILE)
    IOE_ERRNO_NAME(EMFILE)
    IOE_ERRNO_NAME(ENOSPC)
    IOE_ERRNO_NAME(ENOSYS)
    IOE_ERRNO_NAME(EOVERFLOW)
    IOE_ERRNO_NAME(EBADFD)
    IOE_ERRNO_NAME(EOPNOTSUPP)
    IOE_ERRNO_NAME(ENOBUFS)
    IOE_ERRNO_NAME(ETIMEDOUT)
    IOE_ERRNO_NAME(ECANCELED)
#undef IOE_ERRNO_NAME
    default:
      return "error " + std::to_string(error_number);
  }
}

}  // namespace ioengine
