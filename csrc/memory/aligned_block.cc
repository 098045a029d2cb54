#include "memory/aligned_block.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <new>

#include "base/check.h"
#include "base/fault_points.h"
#include "memory/slab.h"

namespace ioengine {
namespace {

constexpr size_t kSmallestShift = BlockMap::kPageShift;
constexpr size_t kLargestShift = 26;  // 64 MiB; larger blocks are mapped and unmapped one by one
constexpr size_t kClassCount = kLargestShift - kSmallestShift + 1;
constexpr size_t kSlabBlock = BlockMap::kStretch / 2;  // larger blocks have a mapping of their own
constexpr size_t kKeepBytes = 64 * 1024 * 1024;        // free blocks kept for reuse, over the whole process
constexpr size_t kMappedMax = size_t{64} << 30;        // all blocks together: a program that wants more leaks

size_t class_of(size_t size) {
  size_t shift = kSmallestShift;
  while ((size_t{1} << shift) < size) ++shift;
  return shift - kSmallestShift;
}

size_t round_up(size_t size, size_t step) { return (size + step - 1) / step * step; }

void* map(size_t bytes) {
  void* memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

// One per process and never destroyed: threads may still run while exit() destroys static objects.
class BlockHeap {
 public:
  static BlockHeap& get() {
    static BlockHeap* heap = new BlockHeap();
    return *heap;
  }

  AlignedBlock* allocate(size_t size) {
    if (size == 0 || size > kMappedMax) return nullptr;
    const size_t index = class_of(size);
    const size_t bytes = index < kClassCount ? size_t{1} << (index + kSmallestShift)
                                             : round_up(size, AlignedBlock::kAlignment);
    pthread_mutex_lock(&mutex_);
    AlignedBlock* block = index < kClassCount ? take_kept(index) : nullptr;
    if (block == nullptr) block = make(bytes);
    if (block == nullptr && kept_ > 0) {
      // Blocks kept in other sizes stand in the way of this one.
      drop_kept();
      block = make(bytes);
    }
    if (block != nullptr) block->holders_.store(1, std::memory_order_relaxed);
    pthread_mutex_unlock(&mutex_);
    return block;
  }

  AlignedBlock* allocate_plain(size_t size) {
    void* memory = nullptr;
    const size_t bytes = round_up(size, AlignedBlock::kAlignment);
    if (size == 0 || posix_memalign(&memory, AlignedBlock::kAlignment, bytes) != 0) return nullptr;
    AlignedBlock* block = describe(memory, bytes, false);
    if (block == nullptr) {
      std::free(memory);
      return nullptr;
    }
    block->plain_ = true;
    block->holders_.store(1, std::memory_order_relaxed);
    return block;
  }

  void give_back(AlignedBlock* block) {
    if (block->plain_) {
      __atomic_fetch_sub(&mapped_, block->capacity_, __ATOMIC_RELAXED);
      std::free(block->data_);
      delete block;
      return;
    }
    pthread_mutex_lock(&mutex_);
    const size_t index = class_of(block->capacity_);
    if (index < kClassCount && kept_ + block->capacity_ <= kKeepBytes) {
      block->next_free_ = kept_blocks_[index];
      kept_blocks_[index] = block;
      kept_ += block->capacity_;
    } else {
      drop(block);
    }
    pthread_mutex_unlock(&mutex_);
  }

  size_t mapped_bytes() const { return __atomic_load_n(&mapped_, __ATOMIC_RELAXED); }
  size_t kept_bytes() {
    pthread_mutex_lock(&mutex_);
    const size_t bytes = kept_;
    pthread_mutex_unlock(&mutex_);
    return bytes;
  }

 private:
  BlockHeap() : page_bytes_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    pthread_mutex_init(&mutex_, nullptr);
  }

  AlignedBlock* take_kept(size_t index) {
    AlignedBlock* block = kept_blocks_[index];
    if (block == nullptr) return nullptr;
    kept_blocks_[index] = block->next_free_;
    kept_ -= block->capacity_;
    block->fresh_ = false;
    return block;
  }

  void drop_kept() {
    for (size_t index = 0; index < kClassCount; ++index) {
      while (AlignedBlock* block = take_kept(index)) drop(block);
    }
  }

  AlignedBlock* make(size_t bytes) {
    if (mapped_bytes() + bytes > kMappedMax) return nullptr;
    return bytes <= kSlabBlock ? cut(bytes) : map_alone(bytes);
  }

  // Null only when there is no memory for the few bytes that describe a block.
  AlignedBlock* describe(void* memory, size_t bytes, bool fresh) {
    auto* block = new (std::nothrow) AlignedBlock();
    if (block == nullptr) return nullptr;
    block->data_ = memory;
    block->capacity_ = bytes;
    block->fresh_ = fresh;
    __atomic_fetch_add(&mapped_, bytes, __ATOMIC_RELAXED);
    return block;
  }

  AlignedBlock* cut(size_t bytes) {
    const size_t pages = bytes >> BlockMap::kPageShift;
    bool fresh = false;
    char* memory = nullptr;
    Slab* slab = slabs_;
    while (slab != nullptr && (memory = slab->take(pages, &fresh)) == nullptr) slab = slab->next;
    if (memory == nullptr) {
      slab = add_slab();
      if (slab == nullptr) return nullptr;
      memory = slab->take(pages, &fresh);
    }
    AlignedBlock* block = describe(memory, bytes, fresh);
    if (block == nullptr) {
      slab->give_back(memory, pages, false);
      return nullptr;
    }
    block->slab_ = slab;
    slab->set_owner(memory, pages, block);
    bring_to_front(slab);
    return block;
  }

  AlignedBlock* map_alone(size_t bytes) {
    const size_t space = round_up(bytes, BlockMap::kStretch);
    void* memory = map_stretches(space);
    if (memory == nullptr) return nullptr;
    AlignedBlock* block = describe(memory, bytes, true);
    if (block == nullptr) {
      unmap_stretches(memory, space);
    } else {
      BlockMap::set(memory, space, BlockMap::of_block(block));
    }
    return block;
  }

  void drop(AlignedBlock* block) {
    __atomic_fetch_sub(&mapped_, block->capacity_, __ATOMIC_RELAXED);
    if (block->slab_ == nullptr) {
      const size_t space = round_up(block->capacity_, BlockMap::kStretch);
      BlockMap::set(block->data_, space, 0);
      unmap_stretches(block->data_, space);
    } else {
      give_pages_back(block);
    }
    delete block;
  }

  // The pages go back to the kernel, the address space stays mapped: neither splits a mapping, and so neither
  // meets vm.max_map_count.
  void give_pages_back(AlignedBlock* block) {
    const auto* memory = static_cast<char*>(block->data_);
    Slab* slab = block->slab_;
    const size_t pages = block->capacity_ >> BlockMap::kPageShift;
    slab->set_owner(memory, pages, nullptr);
    slab->give_back(memory, pages, discard(block->data_, block->capacity_));
    if (!slab->empty()) return bring_to_front(slab);
    if (slab == slabs_ && slab->next == nullptr) return;  // the last one is kept: the next block needs it
    unlink(slab);
    BlockMap::set(slab->start(), BlockMap::kStretch, 0);
    unmap_stretches(slab->start(), BlockMap::kStretch);
    delete slab;
  }

  // True when the pages are zeroes now. Locked memory (mlockall(2)) stays as it is, and where a page is
  // larger than the block its neighbours would lose theirs.
  bool discard(void* memory, size_t bytes) const {
    const bool whole_pages =
        reinterpret_cast<uintptr_t>(memory) % page_bytes_ == 0 && bytes % page_bytes_ == 0;
    return whole_pages && madvise(memory, bytes, MADV_DONTNEED) == 0;
  }

  Slab* add_slab() {
    auto* start = static_cast<char*>(map_stretches(BlockMap::kStretch));
    if (start == nullptr) return nullptr;
    auto* slab = new (std::nothrow) Slab(start);
    if (slab == nullptr) {
      unmap_stretches(start, BlockMap::kStretch);
      return nullptr;
    }
    BlockMap::set(start, BlockMap::kStretch, BlockMap::of_owners(slab->owners()));
    link(slab);
    return slab;
  }

  // Whole stretches of address space, all zero, with room in the map.
  void* map_stretches(size_t bytes) {
    if (void* spare = take_spare(bytes)) return spare;
    // The kernel often places the next mapping right below the last one, where it is aligned already.
    void* memory = map(bytes);
    if (memory != nullptr && reinterpret_cast<uintptr_t>(memory) % BlockMap::kStretch != 0) {
      munmap(memory, bytes);
      memory = map_larger_and_trim(bytes);
    }
    if (memory != nullptr && !BlockMap::reserve(memory, bytes)) {
      munmap(memory, bytes);
      return nullptr;
    }
    return memory;
  }

  static void* map_larger_and_trim(size_t bytes) {
    const size_t larger = bytes + BlockMap::kStretch;
    auto* memory = static_cast<char*>(map(larger));
    if (memory == nullptr) return nullptr;
    const size_t before =
        (BlockMap::kStretch - reinterpret_cast<uintptr_t>(memory) % BlockMap::kStretch) % BlockMap::kStretch;
    const size_t behind = BlockMap::kStretch - before;
    // Address space that cannot be cut off stays: nobody touches it, so it costs no memory.
    if (before > 0) munmap(memory, before);
    if (behind > 0) munmap(memory + before + bytes, behind);
    return memory + before;
  }

  // munmap(2) may fail where it would split a mapping (vm.max_map_count). Then the stretches are kept,
  // without their pages, for the next one who needs some.
  void unmap_stretches(void* memory, size_t bytes) {
    if (munmap(memory, bytes) == 0) return;
    if (madvise(memory, bytes, MADV_DONTNEED) != 0) return;  // locked as well: nothing that can be done
    auto* spare = static_cast<Spare*>(memory);
    spare->bytes = bytes;
    spare->next = spares_;
    spares_ = spare;
  }

  void* take_spare(size_t bytes) {
    for (Spare** link = &spares_; *link != nullptr; link = &(*link)->next) {
      Spare* spare = *link;
      if (spare->bytes < bytes) continue;
      *link = spare->next;
      if (spare->bytes > bytes) {
        auto* rest = reinterpret_cast<Spare*>(reinterpret_cast<char*>(spare) + bytes);
        rest->bytes = spare->bytes - bytes;
        rest->next = spares_;
        spares_ = rest;
      }
      *spare = {};
      return spare;
    }
    return nullptr;
  }

  void link(Slab* slab) {
    slab->previous = nullptr;
    slab->next = slabs_;
    if (slabs_ != nullptr) slabs_->previous = slab;
    slabs_ = slab;
  }

  void unlink(Slab* slab) {
    (slab->previous != nullptr ? slab->previous->next : slabs_) = slab->next;
    if (slab->next != nullptr) slab->next->previous = slab->previous;
  }

  // Where there was room last is where the next search begins.
  void bring_to_front(Slab* slab) {
    if (slab == slabs_) return;
    unlink(slab);
    link(slab);
  }

  // Stands in the first bytes of what it describes.
  struct Spare {
    size_t bytes;
    Spare* next;
  };

  const size_t page_bytes_;
  pthread_mutex_t mutex_;
  Slab* slabs_ = nullptr;
  Spare* spares_ = nullptr;
  size_t kept_ = 0;
  size_t mapped_ = 0;
  AlignedBlock* kept_blocks_[kClassCount] = {};
};

AlignedBlock* AlignedBlock::allocate(size_t size) { return BlockHeap::get().allocate(size); }

AlignedBlock* AlignedBlock::allocate_private(size_t size) {
  if (IOE_FAULT_REFUSES_MEMORY()) return nullptr;
  AlignedBlock* block = allocate(size);
  return block != nullptr ? block : BlockHeap::get().allocate_plain(size);
}

void AlignedBlock::release() {
  const uint32_t before = holders_.fetch_sub(1, std::memory_order_acq_rel);
  IOE_CHECK(before != 0);
  if (before == 1) BlockHeap::get().give_back(this);
}

size_t AlignedBlock::mapped_bytes() { return BlockHeap::get().mapped_bytes(); }

size_t AlignedBlock::kept_bytes() { return BlockHeap::get().kept_bytes(); }

}  // namespace ioengine
