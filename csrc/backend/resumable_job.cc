#include "backend/resumable_job.h"

#include <atomic>

namespace ioengine {
namespace {

// Of all threads: a number without a destructor (H11).
std::atomic<size_t> held{0};

}  // namespace

bool HeldDescriptors::take(size_t count) {
  if (held.fetch_add(count, std::memory_order_relaxed) + count > limits::held_descriptors) {
    held.fetch_sub(count, std::memory_order_relaxed);
    return false;
  }
  count_ += count;
  return true;
}

void HeldDescriptors::give_back() {
  held.fetch_sub(count_, std::memory_order_relaxed);
  count_ = 0;
}

}  // namespace ioengine
