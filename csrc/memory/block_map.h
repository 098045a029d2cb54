// Which block an address belongs to, without a lock: a table of two levels over the address space, one entry
// for each stretch of 4 MiB. A stretch is wholly ours or not at all, so a stranger's address never meets an
// entry that is about to go away.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ioengine {

class AlignedBlock;

class BlockMap {
 public:
  static constexpr unsigned kStretchShift = 22;
  static constexpr size_t kStretch = size_t{1} << kStretchShift;
  static constexpr unsigned kPageShift = 12;
  static constexpr size_t kPages = kStretch >> kPageShift;

  // 0: not ours. The lowest bit set: one block has the stretch. Else the address of a slab's kPages owners.
  using Entry = uintptr_t;

  static Entry find(const void* address) {
    const auto at = reinterpret_cast<uintptr_t>(address);
    if (at >> kAddressBits != 0) return 0;
    const Entry* leaf = __atomic_load_n(&root_[at >> kLeafShift], __ATOMIC_ACQUIRE);
    if (leaf == nullptr) return 0;
    return __atomic_load_n(&leaf[(at >> kStretchShift) & (kLeafEntries - 1)], __ATOMIC_ACQUIRE);
  }

  static AlignedBlock* block_at(Entry entry, const void* address) {
    if ((entry & 1) != 0) return reinterpret_cast<AlignedBlock*>(entry - 1);
    const auto* owners = reinterpret_cast<AlignedBlock* const*>(entry);
    const size_t page = (reinterpret_cast<uintptr_t>(address) >> kPageShift) & (kPages - 1);
    return __atomic_load_n(&owners[page], __ATOMIC_ACQUIRE);
  }

  static Entry of_block(AlignedBlock* block) { return reinterpret_cast<uintptr_t>(block) | 1; }
  static Entry of_owners(AlignedBlock** owners) { return reinterpret_cast<uintptr_t>(owners); }

  // Makes room for the entries of [start, start + bytes). False when there is no memory for them, or the
  // addresses are out of reach. One thread at a time.
  static bool reserve(const void* start, size_t bytes);
  // Sets them. reserve() has made room.
  static void set(const void* start, size_t bytes, Entry entry);

 private:
  // What a process gets from mmap(2) unless it wants more: 47 bits on x86-64, 48 on arm64.
  static constexpr unsigned kAddressBits = 48;
  static constexpr unsigned kLeafShift = 35;
  static constexpr size_t kLeafEntries = size_t{1} << (kLeafShift - kStretchShift);

  static Entry* root_[size_t{1} << (kAddressBits - kLeafShift)];
};

}  // namespace ioengine
