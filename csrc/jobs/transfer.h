// Reads and writes with plain system calls.
#pragma once

#include <sys/uio.h>

#include <cstdint>

namespace ioengine {

// Bytes or -errno. `position` is -1 for the file position, which moves. With O_APPEND the kernel ignores the
// position of a write.
int32_t read_vectors(int fd, const iovec* vectors, int count, int64_t position);
int32_t write_vectors(int fd, const iovec* vectors, int count, int64_t position);

}  // namespace ioengine
