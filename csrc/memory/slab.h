// 4 MiB of address space, cut into blocks: which pages are free, and which have been used since the kernel
// gave them. Neighbours that become free are one run again at once, whatever sizes they had.
#pragma once

#include <cstddef>
#include <cstdint>

#include "memory/block_map.h"

namespace ioengine {

class Slab {
 public:
  static constexpr size_t kPages = BlockMap::kPages;

  explicit Slab(char* start) : start_(start) {}

  // A free run of `pages`, a power of two, at a multiple of its size: null when there is none. `fresh`: all
  // zero.
  char* take(size_t pages, bool* fresh);
  // `clean`: the kernel has taken the pages back, and the next user finds zeroes.
  void give_back(const char* memory, size_t pages, bool clean);
  void set_owner(const char* memory, size_t pages, AlignedBlock* owner);

  bool empty() const { return used_pages_ == 0; }
  char* start() const { return start_; }
  AlignedBlock** owners() { return owners_; }

  Slab* next = nullptr;
  Slab* previous = nullptr;

 private:
  static constexpr size_t kWordBits = 64;

  // Bits [first, first + pages) of a bitmap.
  static bool any(const uint64_t* bitmap, size_t first, size_t pages);
  static void set(uint64_t* bitmap, size_t first, size_t pages, bool value);
  size_t page_of(const char* memory) const {
    return static_cast<size_t>(memory - start_) >> BlockMap::kPageShift;
  }

  char* const start_;
  size_t used_pages_ = 0;
  size_t too_many_ = kPages + 1;  // runs of so many pages are known not to be there
  uint64_t taken_[kPages / kWordBits] = {};
  uint64_t dirty_[kPages / kWordBits] = {};
  AlignedBlock* owners_[kPages] = {};
};

}  // namespace ioengine
