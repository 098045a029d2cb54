// Aligned blocks (H8, H40): size classes, reuse, holders on several threads, memory that faults after it
// was unmapped, and giving back and helping out where mappings or address space have run out.
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "memory/aligned_block.h"
#include "test/check.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

constexpr size_t kMiB = size_t{1} << 20;

void sizes_and_alignment() {
  for (size_t size :
       {size_t{1}, size_t{4096}, size_t{4097}, size_t{65536}, 3 * kMiB, 64 * kMiB, 64 * kMiB + 1}) {
    AlignedBlock* block = AlignedBlock::allocate(size);
    CHECK(block != nullptr);
    CHECK(block->capacity() >= size);
    CHECK_EQ(reinterpret_cast<uintptr_t>(block->data()) % AlignedBlock::kAlignment, 0u);
    static_cast<uint8_t*>(block->data())[0] = 1;
    static_cast<uint8_t*>(block->data())[block->capacity() - 1] = 1;
    block->release();
  }
  CHECK(AlignedBlock::allocate(0) == nullptr);
  CHECK(AlignedBlock::allocate(size_t{1} << 40) == nullptr);
}

void blocks_are_reused() {
  AlignedBlock* first = AlignedBlock::allocate(5000);
  void* memory = first->data();
  CHECK_EQ(first->capacity(), 8192u);
  std::memset(memory, 0x5a, 8192);
  first->release();
  const size_t mapped = AlignedBlock::mapped_bytes();
  AlignedBlock* second = AlignedBlock::allocate(8192);
  CHECK(second->data() == memory);
  CHECK(!second->fresh());
  CHECK_EQ(AlignedBlock::mapped_bytes(), mapped);
  AlignedBlock* third = AlignedBlock::allocate(8192);
  CHECK(third->data() != memory);
  second->release();
  third->release();
}

void fresh_memory_is_zero() {
  std::vector<AlignedBlock*> blocks;
  for (int i = 0; i < 20; ++i) {
    AlignedBlock* block = AlignedBlock::allocate(32768);
    if (block->fresh()) {
      for (size_t at = 0; at < block->capacity(); ++at) CHECK_EQ(static_cast<uint8_t*>(block->data())[at], 0);
    }
    std::memset(block->data(), 0xff, block->capacity());
    blocks.push_back(block);
  }
  for (AlignedBlock* block : blocks) block->release();
}

void holders_keep_a_block() {
  AlignedBlock* block = AlignedBlock::allocate(4096);
  auto* memory = static_cast<uint8_t*>(block->data());
  CHECK(AlignedBlock::hold_if_ours(memory + 4095) == block);
  block->release();
  memory[17] = 3;  // still held
  AlignedBlock* other = AlignedBlock::allocate(4096);
  CHECK(other != block);
  other->release();
  block->release();
  uint8_t stranger = 0;
  CHECK(AlignedBlock::hold_if_ours(&stranger) == nullptr);
  CHECK(AlignedBlock::hold_if_ours(nullptr) == nullptr);
}

void large_blocks_are_given_back() {
  const size_t before = AlignedBlock::mapped_bytes();
  AlignedBlock* block = AlignedBlock::allocate(100 * kMiB);
  auto* memory = static_cast<uint8_t*>(block->data());
  CHECK_EQ(AlignedBlock::mapped_bytes(), before + 100 * kMiB);
  memory[0] = 1;
  block->release();
  CHECK_EQ(AlignedBlock::mapped_bytes(), before);
  CHECK(AlignedBlock::hold_if_ours(memory) == nullptr);
  const int status = status_of_child([memory] {
    signal(SIGSEGV, SIG_DFL);
    *const_cast<volatile uint8_t*>(memory) = 1;
  });
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  AlignedBlock* reused = AlignedBlock::allocate(100 * kMiB);
  CHECK(reused->fresh());
  CHECK_EQ(static_cast<uint8_t*>(reused->data())[0], 0);
  // Any address of a block finds it, and the first one behind it does not.
  auto* start = static_cast<uint8_t*>(reused->data());
  CHECK(AlignedBlock::hold_if_ours(start + 100 * kMiB - 1) == reused);
  reused->release();
  CHECK(AlignedBlock::hold_if_ours(start + 100 * kMiB) != reused);
  reused->release();
}

// What is kept for reuse has a limit over the whole process.
void kept_memory_is_bounded() {
  const size_t before = AlignedBlock::mapped_bytes();
  std::vector<AlignedBlock*> blocks;
  for (int i = 0; i < 64; ++i) blocks.push_back(AlignedBlock::allocate(4 * kMiB));
  CHECK(AlignedBlock::mapped_bytes() >= 256 * kMiB);
  for (AlignedBlock* block : blocks) block->release();
  CHECK(AlignedBlock::mapped_bytes() <= before + 64 * kMiB);
}

// A limit on address space: room for malloc and a sanitizer, but not for another slab.
void leave_no_room_for_a_slab() {
  std::ifstream statm("/proc/self/statm");
  size_t pages = 0;
  statm >> pages;
  const rlimit limit = {pages * 4096 + 3 * kMiB, RLIM_INFINITY};
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  size_t count = 0;
  while (std::getline(maps, line)) ++count;
  return count;
}

// Every other one of many blocks is given back: what is left of the mappings stays in one piece.
void giving_back_splits_no_mapping() {
  const size_t before = mappings();
  std::vector<AlignedBlock*> blocks;
  for (int i = 0; i < 60000; ++i) blocks.push_back(AlignedBlock::allocate(4096));
  for (size_t i = 0; i < blocks.size(); i += 2) blocks[i]->release();
  CHECK(mappings() < before + 200);
  for (size_t i = 1; i < blocks.size(); i += 2) blocks[i]->release();
  CHECK(mappings() < before + 200);
  CHECK(AlignedBlock::mapped_bytes() <= 64 * kMiB);
}

// Neighbours of all sizes that became free serve larger blocks, without any more address space.
void gaps_coalesce() {
  const int status = status_of_child([] {
    std::vector<AlignedBlock*> blocks;
    for (size_t size : {size_t{4096}, size_t{65536}, kMiB}) {
      for (size_t bytes = 0; bytes < 100 * kMiB; bytes += size)
        blocks.push_back(AlignedBlock::allocate(size));
    }
    for (AlignedBlock* block : blocks) block->release();
    const size_t mapped = AlignedBlock::mapped_bytes();
    leave_no_room_for_a_slab();
    // All of it was kept for reuse in other sizes.
    CHECK(mapped >= 60 * kMiB);
    AlignedBlock* large = AlignedBlock::allocate(2 * kMiB);
    CHECK(large != nullptr);
    std::memset(large->data(), 1, large->capacity());
  });
  CHECK(ended_well(status));
}

// Ever new sizes, each given back: none of them uses anything up.
void freed_sizes_use_nothing_up() {
  for (size_t i = 1; i <= 2000; ++i) {
    AlignedBlock* block = AlignedBlock::allocate(100 * kMiB + 4096 * i);
    CHECK(block != nullptr);
    static_cast<uint8_t*>(block->data())[0] = 1;
    block->release();
  }
}

// The kernel refuses to split another mapping (vm.max_map_count).
void giving_back_without_mappings_left() {
  const int status = status_of_child([] {
    std::vector<AlignedBlock*> blocks;
    for (int i = 0; i < 500; ++i) blocks.push_back(AlignedBlock::allocate(8 * kMiB));
    for (AlignedBlock* block : blocks) std::memset(block->data(), 1, 4096);
    std::vector<void*> room(64);  // what malloc and a sanitizer need in the meantime
    for (size_t i = 0;; ++i) {
      void* memory =
          mmap(nullptr, 4096, (i & 1) != 0 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) break;
      room[i % room.size()] = memory;
    }
    for (void* memory : room) munmap(memory, 4096);
    for (size_t i = 0; i < blocks.size(); i += 2) blocks[i]->release();
    for (size_t i = 1; i < blocks.size(); i += 2) blocks[i]->release();
    // The stretches that could not be unmapped serve again.
    for (int i = 0; i < 20; ++i) {
      AlignedBlock* block = AlignedBlock::allocate(8 * kMiB);
      CHECK(block != nullptr);
      const auto* bytes = static_cast<uint8_t*>(block->data());
      if (!block->fresh()) continue;
      for (size_t at = 0; at < block->capacity(); at += 8) CHECK_EQ(bytes[at], 0);
    }
  });
  CHECK(ended_well(status));
}

// A limit on address space leaves no room for a slab: helpers get plain memory.
void private_blocks_without_address_space() {
  const int status = status_of_child([] {
    leave_no_room_for_a_slab();
    std::vector<AlignedBlock*> all;
    while (AlignedBlock* block = AlignedBlock::allocate(kMiB)) all.push_back(block);
    while (AlignedBlock* block = AlignedBlock::allocate(4096)) all.push_back(block);
    CHECK(all.size() < 3000);
    AlignedBlock* plain = AlignedBlock::allocate_private(4096);
    CHECK(plain != nullptr);
    CHECK_EQ(reinterpret_cast<uintptr_t>(plain->data()) % AlignedBlock::kAlignment, 0u);
    std::memset(plain->data(), 1, plain->capacity());
    CHECK(AlignedBlock::hold_if_ours(plain->data()) == nullptr);
    plain->hold();
    plain->release();
    plain->release();
    for (AlignedBlock* block : all) block->release();
  });
  CHECK(ended_well(status));
}

struct Shared {
  AlignedBlock* block;
  uint8_t* memory;
};

void* use_from_another_thread(void* argument) {
  const auto* shared = static_cast<Shared*>(argument);
  for (int i = 0; i < 20000; ++i) {
    AlignedBlock* held = AlignedBlock::hold_if_ours(shared->memory + i % 4096);
    CHECK(held == shared->block);
    AlignedBlock* own = AlignedBlock::allocate(4096u << (i % 3));
    static_cast<uint8_t*>(own->data())[0] = static_cast<uint8_t>(i);
    CHECK_EQ(static_cast<uint8_t*>(own->data())[0], static_cast<uint8_t>(i));
    own->release();
    held->release();
  }
  return nullptr;
}

void threads_share_the_arena() {
  AlignedBlock* block = AlignedBlock::allocate(4096);
  Shared shared = {block, static_cast<uint8_t*>(block->data())};
  pthread_t threads[4];
  for (pthread_t& thread : threads)
    CHECK(pthread_create(&thread, nullptr, use_from_another_thread, &shared) == 0);
  for (pthread_t& thread : threads) pthread_join(thread, nullptr);
  shared.memory[0] = 1;
  block->release();
}

void one_release_too_many_ends_the_program() {
  const int status = status_of_child([] {
    AlignedBlock* block = AlignedBlock::allocate(4096);
    block->release();
    block->release();
  });
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

}  // namespace

// ThreadSanitizer maps memory for each page that is mapped.
#if defined(__SANITIZE_THREAD__)
constexpr bool kMayRunOut = false;
#else
constexpr bool kMayRunOut = true;
#endif

int main() {
  sizes_and_alignment();
  blocks_are_reused();
  fresh_memory_is_zero();
  holders_keep_a_block();
  large_blocks_are_given_back();
  kept_memory_is_bounded();
  giving_back_splits_no_mapping();
  gaps_coalesce();
  freed_sizes_use_nothing_up();
  if (kMayRunOut) {
    giving_back_without_mappings_left();
    private_blocks_without_address_space();
  }
  threads_share_the_arena();
  one_release_too_many_ends_the_program();
  return 0;
}
