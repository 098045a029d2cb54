#include "base/semaphore.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

extern "C" void ioengine_futex(uint32_t* word, int operation, uint32_t value, const timespec* timeout) {
  const int before = errno;
  syscall(SYS_futex, word, operation, value, timeout, nullptr, 0);
  errno = before;
}
