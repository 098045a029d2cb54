// Aligned blocks (H8, H19): size classes, reuse, holders on several threads, and memory that faults after it
// was unmapped.
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cstdint>
#include <cstring>
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
  // The same address space serves again, as zeroes.
  AlignedBlock* again = AlignedBlock::allocate(100 * kMiB);
  CHECK(again->data() == memory && again->fresh());
  CHECK_EQ(memory[0], 0);
  again->release();
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

int main() {
  sizes_and_alignment();
  blocks_are_reused();
  fresh_memory_is_zero();
  holders_keep_a_block();
  large_blocks_are_given_back();
  kept_memory_is_bounded();
  threads_share_the_arena();
  one_release_too_many_ends_the_program();
  return 0;
}
