#include "memory/slab.h"

#include <algorithm>

namespace ioengine {
namespace {

uint64_t mask_of(size_t first, size_t bits) {
  return (bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1) << first;
}

}  // namespace

bool Slab::any(const uint64_t* bitmap, size_t first, size_t pages) {
  const size_t step = std::min(pages, kWordBits);
  for (size_t at = first; at < first + pages; at += step) {
    if ((bitmap[at / kWordBits] & mask_of(at % kWordBits, step)) != 0) return true;
  }
  return false;
}

void Slab::set(uint64_t* bitmap, size_t first, size_t pages, bool value) {
  const size_t step = std::min(pages, kWordBits);
  for (size_t at = first; at < first + pages; at += step) {
    const uint64_t mask = mask_of(at % kWordBits, step);
    uint64_t& word = bitmap[at / kWordBits];
    word = value ? word | mask : word & ~mask;
  }
}

char* Slab::take(size_t pages, bool* fresh) {
  if (pages >= too_many_) return nullptr;
  for (size_t first = 0; first < kPages; first += pages) {
    if (any(taken_, first, pages)) continue;
    *fresh = !any(dirty_, first, pages);
    set(taken_, first, pages, true);
    set(dirty_, first, pages, true);
    used_pages_ += pages;
    return start_ + (first << BlockMap::kPageShift);
  }
  too_many_ = pages;
  return nullptr;
}

void Slab::give_back(const char* memory, size_t pages, bool clean) {
  const size_t first = page_of(memory);
  set(taken_, first, pages, false);
  if (clean) set(dirty_, first, pages, false);
  used_pages_ -= pages;
  too_many_ = kPages + 1;
}

void Slab::set_owner(const char* memory, size_t pages, AlignedBlock* owner) {
  const size_t first = page_of(memory);
  for (size_t page = first; page < first + pages; ++page) {
    __atomic_store_n(&owners_[page], owner, __ATOMIC_RELEASE);
  }
}

}  // namespace ioengine
