// Request slots: numbers come back, generations tell their users apart, and a completion for a request that
// is not accepted ends the program at once.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "memory/aligned_block.h"
#include "scheduler/slots.h"
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

void slots_are_reused_with_a_new_generation() {
  Slots slots;
  Request* request = slots.take();
  const uint32_t slot = request->slot;
  const uint32_t generation = request->generation;
  CHECK_EQ(generation & 1, 1u);
  slots.give_back(request);
  CHECK_EQ(request->generation, generation + 1);
  Request* reused = slots.take();
  CHECK(reused == request);
  CHECK_EQ(reused->slot, slot);
  CHECK_EQ(reused->generation, generation + 2);
  slots.give_back(reused);
}

void slots_grow_and_keep_their_addresses() {
  Slots slots;
  std::vector<Request*> taken;
  std::set<uint32_t> numbers;
  for (int i = 0; i < 3000; ++i) {
    taken.push_back(slots.take());
    CHECK(numbers.insert(taken.back()->slot).second);
  }
  CHECK_EQ(slots.taken(), 3000u);
  CHECK(*numbers.rbegin() < 3000 + 256);  // dense: JavaScript indexes arrays by them
  for (uint32_t i = 0; i < taken.size(); ++i) CHECK_EQ(taken[i]->generation & 1, 1u);
  for (Request* request : taken) slots.give_back(request);
  CHECK_EQ(slots.taken(), 0u);
}

void giving_back_frees_what_the_request_owned() {
  Slots slots;
  Request* request = slots.take();
  AlignedBlock* block = AlignedBlock::allocate(4096);
  CHECK(block != nullptr);
  request->block = AlignedBlock::hold_if_ours(block->data());
  CHECK(request->block == block);
  request->owned_vectors = new iovec[3];
  request->open = new OpenJob();
  request->flags = kFlagDirect;
  slots.give_back(request);
  CHECK(request->block == nullptr && request->owned_vectors == nullptr && request->open == nullptr);
  CHECK_EQ(request->flags, 0u);
  block->release();
}

void misuse_ends_the_program() {
  const int twice = status_of_child([] {
    Slots slots;
    Request* request = slots.take();
    slots.give_back(request);
    slots.give_back(request);
  });
  CHECK(WIFSIGNALED(twice) && WTERMSIG(twice) == SIGABRT);
  // A completion for a request that has been delivered.
  const int late = status_of_child([] {
    MockOptions options;
    options.defect = MockDefect::kDoubleCompletion;
    options.defect_at = 1;
    options.delay_rounds_max = 0;
    Engine engine(options);
    const int fd = engine.create(100, 100);
    uint8_t byte;
    engine.until_settled(engine.read(fd, &byte, 1, 0));
    engine.turn();
    engine.turn();
  });
  CHECK(!ended_well(late));
}

}  // namespace

int main() {
  slots_are_reused_with_a_new_generation();
  slots_grow_and_keep_their_addresses();
  giving_back_frees_what_the_request_owned();
  misuse_ends_the_program();
  return 0;
}
