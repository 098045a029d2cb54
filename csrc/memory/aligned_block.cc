#include "memory/aligned_block.h"

#include <pthread.h>
#include <sys/mman.h>

#include <new>

#include "base/check.h"

namespace ioengine {
namespace {

constexpr size_t kSmallestShift = 12;
constexpr size_t kLargestShift = 26;  // 64 MiB; larger blocks are mapped and unmapped one by one
constexpr size_t kClassCount = kLargestShift - kSmallestShift + 1;
constexpr size_t kKeepBytes = 64 * 1024 * 1024;  // free blocks kept for reuse, over the whole process
// Address space, not memory: whether a pointer is ours is two comparisons and one array look-up.
// RLIMIT_AS may allow less than the first choice.
constexpr size_t kArenaChoices[] = {size_t{64} << 30, size_t{8} << 30, size_t{1} << 30};
constexpr size_t kPageShift = 12;

size_t class_of(size_t size) {
  size_t shift = kSmallestShift;
  while ((size_t{1} << shift) < size) ++shift;
  return shift - kSmallestShift;
}

}  // namespace

// One per process and never destroyed: threads may still run while exit() destroys static objects (H11).
class BlockArena {
 public:
  static BlockArena& get() {
    static BlockArena* arena = new BlockArena();
    return *arena;
  }

  AlignedBlock* allocate(size_t size) {
    if (base_ == nullptr || size == 0 || size > arena_bytes_) return nullptr;
    const size_t index = class_of(size);
    pthread_mutex_lock(&mutex_);
    AlignedBlock* block = index < kClassCount ? free_[index] : nullptr;
    if (block != nullptr) {
      free_[index] = block->next_free_;
      kept_ -= block->capacity_;
      block->fresh_ = false;
    } else {
      block = map(index < kClassCount ? size_t{1} << (index + kSmallestShift) : round_to_page(size));
    }
    if (block != nullptr) block->holders_.store(1, std::memory_order_relaxed);
    pthread_mutex_unlock(&mutex_);
    return block;
  }

  AlignedBlock* hold(uintptr_t distance) {
    // The caller's buffer is a holder, so the block cannot go away between the look-up and the count.
    AlignedBlock* block = __atomic_load_n(&owners_[distance >> kPageShift], __ATOMIC_ACQUIRE);
    if (block != nullptr) block->hold();
    return block;
  }

  void give_back(AlignedBlock* block) {
    pthread_mutex_lock(&mutex_);
    const size_t index = class_of(block->capacity_);
    if (index < kClassCount && kept_ + block->capacity_ <= kKeepBytes) {
      block->next_free_ = free_[index];
      free_[index] = block;
      kept_ += block->capacity_;
    } else {
      unmap(block);
    }
    pthread_mutex_unlock(&mutex_);
  }

  size_t mapped_bytes() const { return __atomic_load_n(&mapped_, __ATOMIC_RELAXED); }

 private:
  BlockArena() {
    pthread_mutex_init(&mutex_, nullptr);
    for (size_t bytes : kArenaChoices) {
      const size_t owner_bytes = (bytes >> kPageShift) * sizeof(AlignedBlock*);
      base_ = static_cast<char*>(reserve(bytes));
      if (base_ == nullptr) continue;
      owners_ = static_cast<AlignedBlock**>(reserve(owner_bytes));
      if (owners_ != nullptr && mprotect(owners_, owner_bytes, PROT_READ | PROT_WRITE) == 0) {
        arena_bytes_ = bytes;
        AlignedBlock::arena_start_.store(reinterpret_cast<uintptr_t>(base_), std::memory_order_relaxed);
        AlignedBlock::arena_bytes_.store(bytes, std::memory_order_relaxed);
        return;
      }
      munmap(base_, bytes);
      base_ = nullptr;
    }
  }

  static void* reserve(size_t bytes) {
    void* memory = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
  }

  static size_t round_to_page(size_t size) {
    return (size + AlignedBlock::kAlignment - 1) & ~(AlignedBlock::kAlignment - 1);
  }

  // A run of unmapped address space of this size: one that an unmapped block left, else fresh space at the
  // end.
  char* find_space(size_t size) {
    for (Gap** link = &gaps_; *link != nullptr; link = &(*link)->next) {
      if ((*link)->size != size) continue;
      Gap* gap = *link;
      char* space = gap->start;
      *link = gap->next;
      delete gap;
      return space;
    }
    if (used_ + size > arena_bytes_) return nullptr;
    char* space = base_ + used_;
    used_ += size;
    return space;
  }

  AlignedBlock* map(size_t size) {
    char* space = find_space(size);
    if (space == nullptr) return nullptr;
    if (mprotect(space, size, PROT_READ | PROT_WRITE) != 0) {
      gaps_ = new Gap{space, size, gaps_};
      return nullptr;
    }
    auto* block = new AlignedBlock();
    block->data_ = space;
    block->capacity_ = size;
    block->fresh_ = true;
    set_owner(block, block);
    __atomic_fetch_add(&mapped_, size, __ATOMIC_RELAXED);
    return block;
  }

  void unmap(AlignedBlock* block) {
    // PROT_NONE as well as giving the memory back: a late access faults instead of hitting someone else's
    // data.
    void* fresh = mmap(block->data_, block->capacity_, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    IOE_CHECK(fresh == block->data_);
    set_owner(block, nullptr);
    __atomic_fetch_sub(&mapped_, block->capacity_, __ATOMIC_RELAXED);
    gaps_ = new Gap{static_cast<char*>(block->data_), block->capacity_, gaps_};
    delete block;
  }

  void set_owner(AlignedBlock* block, AlignedBlock* owner) {
    const size_t first = static_cast<size_t>(static_cast<char*>(block->data_) - base_) >> kPageShift;
    for (size_t page = 0; page < block->capacity_ >> kPageShift; ++page) {
      __atomic_store_n(&owners_[first + page], owner, __ATOMIC_RELEASE);
    }
  }

  struct Gap {
    char* start;
    size_t size;
    Gap* next;
  };

  pthread_mutex_t mutex_;
  char* base_ = nullptr;
  size_t arena_bytes_ = 0;
  AlignedBlock** owners_ = nullptr;
  size_t used_ = 0;
  size_t kept_ = 0;
  size_t mapped_ = 0;
  Gap* gaps_ = nullptr;
  AlignedBlock* free_[kClassCount] = {};
};

AlignedBlock* AlignedBlock::allocate(size_t size) { return BlockArena::get().allocate(size); }

std::atomic<uintptr_t> AlignedBlock::arena_start_{0};
std::atomic<uintptr_t> AlignedBlock::arena_bytes_{0};

AlignedBlock* AlignedBlock::hold_in_arena(uintptr_t distance) { return BlockArena::get().hold(distance); }

void AlignedBlock::release() {
  const uint32_t before = holders_.fetch_sub(1, std::memory_order_acq_rel);
  IOE_CHECK(before != 0);
  if (before == 1) BlockArena::get().give_back(this);
}

size_t AlignedBlock::mapped_bytes() { return BlockArena::get().mapped_bytes(); }

}  // namespace ioengine
