#include "memory/block_map.h"

#include <sys/mman.h>

namespace ioengine {

BlockMap::Entry* BlockMap::root_[size_t{1} << (kAddressBits - kLeafShift)];

bool BlockMap::reserve(const void* start, size_t bytes) {
  const auto first = reinterpret_cast<uintptr_t>(start);
  const uintptr_t last = first + bytes - 1;
  if (last >> kAddressBits != 0) return false;
  for (uintptr_t index = first >> kLeafShift; index <= last >> kLeafShift; ++index) {
    if (__atomic_load_n(&root_[index], __ATOMIC_RELAXED) != nullptr) continue;
    void* leaf = mmap(nullptr, kLeafEntries * sizeof(Entry), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (leaf == MAP_FAILED) return false;
    __atomic_store_n(&root_[index], static_cast<Entry*>(leaf), __ATOMIC_RELEASE);
  }
  return true;
}

void BlockMap::set(const void* start, size_t bytes, Entry entry) {
  const auto first = reinterpret_cast<uintptr_t>(start);
  for (uintptr_t at = first; at < first + bytes; at += kStretch) {
    Entry* leaf = __atomic_load_n(&root_[at >> kLeafShift], __ATOMIC_RELAXED);
    __atomic_store_n(&leaf[(at >> kStretchShift) & (kLeafEntries - 1)], entry, __ATOMIC_RELEASE);
  }
}

}  // namespace ioengine
