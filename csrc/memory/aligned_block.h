// Aligned memory for O_DIRECT and for stream chunks: blocks of power-of-two sizes, recycled, with a count of
// holders. A block is given back when the last holder lets go. The JavaScript buffer is one holder and every
// request in flight another, because external buffers are finalized before any cleanup hook, even while
// strongly referenced (H8).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ioengine {

class AlignedBlock {
 public:
  static constexpr size_t kAlignment = 4096;

  // A block of at least `size` bytes with one holder, or null when memory is out. Any thread. The content is
  // whatever the last user left: callers hand out only what the kernel has filled, or clear it.
  static AlignedBlock* allocate(size_t size);

  // The block that holds `address`, with one more holder, or null where that memory is not ours. Any thread.
  static AlignedBlock* hold_if_ours(const void* address) {
    const uintptr_t distance =
        reinterpret_cast<uintptr_t>(address) - arena_start_.load(std::memory_order_relaxed);
    return distance < arena_bytes_.load(std::memory_order_relaxed) ? hold_in_arena(distance) : nullptr;
  }

  void hold() { holders_.fetch_add(1, std::memory_order_relaxed); }
  void release();

  void* data() const { return data_; }
  size_t capacity() const { return capacity_; }
  bool fresh() const { return fresh_; }  // straight from the kernel: all zero

  // Bytes that are mapped now, in use and kept for reuse, over the whole process.
  static size_t mapped_bytes();

 private:
  friend class BlockArena;
  static AlignedBlock* hold_in_arena(uintptr_t distance);

  // Where the arena is: set once, before the first block exists. Whoever holds a pointer into a block got it
  // from its allocation, so relaxed loads see it.
  static std::atomic<uintptr_t> arena_start_;
  static std::atomic<uintptr_t> arena_bytes_;

  void* data_ = nullptr;
  size_t capacity_ = 0;
  std::atomic<uint32_t> holders_{0};
  bool fresh_ = false;
  AlignedBlock* next_free_ = nullptr;
};

}  // namespace ioengine
