// Aligned memory for O_DIRECT and for stream chunks: blocks of power-of-two sizes, recycled, with a count of
// holders. A block is given back when the last holder lets go. The JavaScript buffer is one holder and every
// request in flight another, because external buffers are finalized before any cleanup hook, even while
// strongly referenced (H8).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "memory/block_map.h"

namespace ioengine {

class Slab;

class AlignedBlock {
 public:
  static constexpr size_t kAlignment = 4096;

  // A block of at least `size` bytes with one holder, or null when memory is out. Any thread. The content is
  // whatever the last user left: callers hand out only what the kernel has filled, or clear it.
  static AlignedBlock* allocate(size_t size);

  // The same for the engine's own use: where the address space has no room for a whole slab (RLIMIT_AS),
  // plain memory serves. hold_if_ours() does not find such a block.
  static AlignedBlock* allocate_private(size_t size);

  // The block that holds `address`, with one more holder, or null where that memory is not ours. Any thread.
  // The caller's buffer is a holder, so the block cannot go away between the look-up and the count.
  static AlignedBlock* hold_if_ours(const void* address) {
    const BlockMap::Entry entry = BlockMap::find(address);
    if (entry == 0) return nullptr;
    AlignedBlock* block = BlockMap::block_at(entry, address);
    if (block != nullptr) block->hold();
    return block;
  }

  void hold() { holders_.fetch_add(1, std::memory_order_relaxed); }
  // Giving back never fails (H40): what the kernel does not take is kept for the next one.
  void release();

  void* data() const { return data_; }
  size_t capacity() const { return capacity_; }
  bool fresh() const { return fresh_; }  // straight from the kernel: all zero

  // Bytes of all blocks in use and kept for reuse, over the whole process.
  static size_t mapped_bytes();
  // Of those, the ones kept.
  static size_t kept_bytes();

 private:
  friend class BlockHeap;

  void* data_ = nullptr;
  size_t capacity_ = 0;
  std::atomic<uint32_t> holders_{0};
  bool fresh_ = false;
  bool plain_ = false;    // from malloc
  Slab* slab_ = nullptr;  // null: plain, or with a mapping of its own
  AlignedBlock* next_free_ = nullptr;
};

}  // namespace ioengine
