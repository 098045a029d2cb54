// Staging: small reads that may wait for a device land in memory of ours and are copied to the caller's
// buffer when they are delivered, if it is still there. JavaScript can give a buffer away at any time
// (transfer, postMessage), and no reference pins its memory (H9): the kernel would write into whatever malloc
// puts there next.
//
// Reads that complete inside the submitting call need none of this, nor does memory of our own, which counts
// its holders (memory/aligned_block.h). Large buffers are read into directly: mostly they are mapped on their
// own, and once unmapped the kernel answers EFAULT, but malloc does not promise that
// (docs/decisions/0004-staging.md).
#pragma once

#include <cstdint>

#include "backend/request.h"

namespace ioengine {

class AlignedBlock;

struct Staging {
  ~Staging();
  AlignedBlock* block = nullptr;
  iovec vector = {nullptr, 0};    // what the kernel sees
  iovec* user_vectors = nullptr;  // the caller's, where the bytes belong
  uint32_t user_vector_count = 0;
  bool remote = false;        // counted among those of remote mounts
  uint64_t vector_bytes = 0;  // of the whole, for the account of staging memory
  uint64_t done_before = 0;   // bytes that were in the caller's memory already
};

bool needs_staging(const Request* request);

// Puts staging memory in the place of the request's vectors. False when there is none: the read goes straight
// into the caller's memory, as node's does.
bool stage(Request* request);

// Copies what was read to where it belongs. The caller has made sure that the memory is still there.
void copy_staged(const Request* request);

}  // namespace ioengine
