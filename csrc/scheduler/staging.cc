#include "scheduler/staging.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/limits.h"
#include "memory/aligned_block.h"

namespace ioengine {

Staging::~Staging() {
  if (block != nullptr) block->release();
  delete[] user_vectors;
}

bool needs_staging(const Request* request) {
  return request->operation == Operation::kRead && request->staging == nullptr &&
         !request->holds_all_memory && request->remaining() <= limits::staged_read_bytes;
}

bool stage(Request* request) {
  IOE_CHECK(request->bounce == nullptr && request->staging == nullptr);
  AlignedBlock* block =
      AlignedBlock::allocate_private(std::max<uint64_t>(request->remaining(), 1));  // 0 bytes are fine
  if (block == nullptr) return false;
  auto* staging = new Staging();
  staging->block = block;
  staging->vector = {block->data(), request->remaining()};
  staging->vector_bytes = request->remaining();
  staging->user_vectors = new iovec[request->vector_count];
  staging->user_vector_count = request->vector_count;
  std::copy(request->vectors, request->vectors + request->vector_count, staging->user_vectors);
  staging->done_before = request->done;
  request->staging = staging;
  request->vectors = &staging->vector;
  request->vector_count = 1;
  return true;
}

void copy_staged(const Request* request) {
  const Staging* staging = request->staging;
  const uint64_t total = static_cast<uint64_t>(request->result);
  IOE_CHECK(total >= staging->done_before);
  uint64_t left = total - staging->done_before;
  const char* from = static_cast<const char*>(staging->block->data());
  for (uint32_t i = 0; i < staging->user_vector_count && left > 0; ++i) {
    const uint64_t piece = std::min<uint64_t>(staging->user_vectors[i].iov_len, left);
    std::memcpy(staging->user_vectors[i].iov_base, from, piece);
    from += piece;
    left -= piece;
  }
}

}  // namespace ioengine
