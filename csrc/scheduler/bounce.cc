#include "scheduler/bounce.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "memory/aligned_block.h"

namespace ioengine {
namespace {

// A bounce takes so much at once, in whole units of the alignment and at least one: an extent of an XFS
// realtime file may be any number of blocks, and larger than this. The request goes on in further attempts.
constexpr uint64_t kBounceBytes = 4 * 1024 * 1024;

// A block for `bytes`, or for fewer whole units where there is no memory for all of them.
AlignedBlock* block_for(uint64_t bytes, uint64_t alignment, uint64_t* room) {
  for (uint64_t units = bytes / alignment; units > 0; units /= 2) {
    *room = units * alignment;
    AlignedBlock* block = AlignedBlock::allocate_private(*room);
    if (block != nullptr) return block;
  }
  return nullptr;
}

template <typename Copy>
void for_each_piece(iovec* vectors, uint32_t count, uint64_t bytes, Copy copy) {
  for (uint32_t i = 0; i < count && bytes > 0; ++i) {
    const uint64_t piece = std::min<uint64_t>(vectors[i].iov_len, bytes);
    copy(static_cast<char*>(vectors[i].iov_base), piece);
    bytes -= piece;
  }
}

}  // namespace

Bounce::~Bounce() {
  if (block != nullptr) block->release();
}

bool has_aligned_range(const Request* request) {
  return request->offset % request->alignment == 0 && request->remaining() % request->alignment == 0;
}

bool is_aligned(const Request* request, uint32_t memory_alignment) {
  if (!has_aligned_range(request)) return false;
  for (uint32_t i = 0; i < request->vector_count; ++i) {
    if (reinterpret_cast<uintptr_t>(request->vectors[i].iov_base) % memory_alignment != 0) return false;
    if (request->vectors[i].iov_len % request->alignment != 0) return false;
  }
  return true;
}

int attach_bounce(Request* request, uint64_t most) {
  IOE_CHECK(request->bounce == nullptr);
  const uint64_t alignment = request->alignment;
  const uint64_t skip = request->offset % alignment;
  const uint64_t units = std::max(kBounceBytes / alignment * alignment, alignment);
  const uint64_t wanted = std::min(request->remaining(), most);
  const uint64_t end = (skip + wanted + alignment - 1) / alignment * alignment;
  // A transfer of no bytes still goes to the kernel, which may have an error to report.
  uint64_t room = 0;
  AlignedBlock* block = block_for(std::max(std::min(end, units), alignment), alignment, &room);
  if (block == nullptr) return -ENOMEM;
  const uint64_t chunk = std::min<uint64_t>(wanted, room - skip);
  auto* bounce = new Bounce();
  bounce->block = block;
  bounce->vector = {block->data(), std::min(end, room)};
  bounce->skip = skip;
  bounce->chunk = chunk;
  bounce->user_vectors = request->vectors;
  bounce->user_vector_count = request->vector_count;
  bounce->user_offset = request->offset;
  if (request->operation == Operation::kWrite) {
    IOE_CHECK(bounce->skip == 0 && chunk == bounce->vector.iov_len);
    auto* into = static_cast<char*>(block->data());
    for_each_piece(request->vectors, request->vector_count, chunk, [&into](char* from, uint64_t bytes) {
      std::memcpy(into, from, bytes);
      into += bytes;
    });
  }
  request->bounce = bounce;
  request->vectors = &bounce->vector;
  request->vector_count = 1;
  request->offset -= skip;
  return 0;
}

int32_t detach_bounce(Request* request, int32_t result) {
  Bounce* bounce = request->bounce;
  request->vectors = bounce->user_vectors;
  request->vector_count = bounce->user_vector_count;
  request->offset = bounce->user_offset;
  request->bounce = nullptr;
  int32_t bytes = result;
  if (result >= 0) {
    const uint64_t moved = static_cast<uint64_t>(result);
    bytes = static_cast<int32_t>(moved <= bounce->skip ? 0 : std::min(moved - bounce->skip, bounce->chunk));
    if (request->operation == Operation::kRead) {
      const char* from = static_cast<char*>(bounce->block->data()) + bounce->skip;
      for_each_piece(request->vectors, request->vector_count, static_cast<uint64_t>(bytes),
                     [&from](char* into, uint64_t piece) {
                       std::memcpy(into, from, piece);
                       from += piece;
                     });
    }
  }
  delete bounce;
  return bytes;
}

void advance_vectors(Request* request, uint64_t bytes) {
  while (bytes > 0) {
    iovec& vector = request->vectors[0];
    const uint64_t piece = std::min<uint64_t>(vector.iov_len, bytes);
    vector.iov_base = static_cast<char*>(vector.iov_base) + piece;
    vector.iov_len -= piece;
    bytes -= piece;
    if (vector.iov_len == 0 && request->vector_count > 1) {
      ++request->vectors;
      --request->vector_count;
    }
  }
}

}  // namespace ioengine
