// O_DIRECT with any offset, length and memory: what the device will not take is read or written through an
// aligned block instead. Unaligned offsets and lengths of writes are not bounced; they run without O_DIRECT.
#pragma once

#include <cstdint>

#include "backend/request.h"
#include "base/check.h"

namespace ioengine {

class AlignedBlock;

struct Bounce {
  ~Bounce();
  AlignedBlock* block = nullptr;
  iovec vector = {nullptr, 0};    // the aligned range that the kernel sees
  uint64_t skip = 0;              // bytes of it before the caller's first
  uint64_t chunk = 0;             // caller's bytes in this attempt
  iovec* user_vectors = nullptr;  // the caller's, still to do
  uint32_t user_vector_count = 0;
  uint64_t user_offset = 0;
};

// True when the device takes the request as it is.
bool is_aligned(const Request* request, uint32_t memory_alignment);

// True when offset and length suit the device, whatever the memory.
bool has_aligned_range(const Request* request);

// Puts a bounce block in front of the request's vectors for its next attempt, which moves at most `most`
// bytes. Returns 0 or -ENOMEM.
int attach_bounce(Request* request, uint64_t most = UINT64_MAX);

// Undoes attach_bounce after an attempt: copies what was read to the caller's memory, restores vectors and
// offset, and translates the result to the caller's bytes.
int32_t detach_bounce(Request* request, int32_t result);

// Moves the vectors past `bytes` of the caller's memory.
void advance_vectors(Request* request, uint64_t bytes);

// Moves done and offset forward by `bytes`, and the vectors if anything is left to do.
inline void advance(Request* request, uint64_t bytes) {
  request->done += bytes;
  request->offset += bytes;
  IOE_CHECK(request->done <= request->wanted);
  if (request->done < request->wanted) advance_vectors(request, bytes);
}

}  // namespace ioengine
