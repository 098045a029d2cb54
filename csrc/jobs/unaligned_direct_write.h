// A write to an O_DIRECT file whose offset or length is not aligned.
#pragma once

#include <sys/uio.h>

#include <cstdint>

namespace ioengine {

// Like write_vectors(), but through the page cache: O_DIRECT is switched off on the open file meanwhile, so
// the write has the descriptor to itself (Gate::kExclusive), and every other request on it sees the flag on.
// docs/decisions/0003-unaligned-direct-writes.md says why this and not a second descriptor.
int32_t unaligned_direct_write(int fd, const iovec* vectors, int count, int64_t position);

}  // namespace ioengine
