#include "faults/fault_plan.h"

#include <time.h>

#include <atomic>

namespace ioengine::faults {
namespace {

std::atomic<bool> armed{false};
std::atomic<bool> marked_only{false};
Fault fault;  // written while nothing is armed
std::atomic<uint64_t> counts[kSiteCount];
std::atomic<uint64_t> happenings{0};
std::atomic<int32_t> always[kSiteCount];
std::atomic<void (*)()> call_hook{nullptr};
thread_local bool is_marked = false;

constexpr const char* kNames[] = {
#define SITE(name) #name,
#include "faults/sites.def"
#undef SITE
};

void sleep_us(int32_t microseconds) {
  timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
  nanosleep(&time, nullptr);
}

}  // namespace

void arm(const Fault& wanted) {
  armed.store(false, std::memory_order_seq_cst);
  fault = wanted;
  for (auto& count : counts) count.store(0, std::memory_order_relaxed);
  happenings.store(0, std::memory_order_relaxed);
  armed.store(true, std::memory_order_seq_cst);
}

void disarm() { armed.store(false, std::memory_order_seq_cst); }

uint64_t happened() { return happenings.load(std::memory_order_relaxed); }
uint64_t count_of(Site site) { return counts[static_cast<size_t>(site)].load(std::memory_order_relaxed); }
const char* name_of(Site site) { return kNames[static_cast<size_t>(site)]; }

void fail_always(Site site, int32_t error) {
  always[static_cast<size_t>(site)].store(error, std::memory_order_relaxed);
}

void set_call_hook(void (*hook)()) { call_hook.store(hook, std::memory_order_relaxed); }

void only_marked_threads(bool only) { marked_only.store(only, std::memory_order_relaxed); }
void mark_this_thread() { is_marked = true; }

namespace {

// How often the process asks for memory depends on what it has kept.
bool is_memory(Site site) {
  switch (site) {
    case Site::mmap64:
    case Site::munmap:
    case Site::madvise:
    case Site::posix_memalign:
    case Site::private_block:
    case Site::nothrow_new:
      return true;
    default:
      return false;
  }
}

Action always_of(Site site) {
  const int32_t error = always[static_cast<size_t>(site)].load(std::memory_order_relaxed);
  if (error == 0) return {};
  return {Kind::kError, error};
}

}  // namespace

Action next(Site site) {
  if (void (*hook)() = call_hook.load(std::memory_order_relaxed); hook != nullptr && !is_memory(site)) hook();
  if (marked_only.load(std::memory_order_relaxed) && !is_marked) return {};
  const uint64_t count = counts[static_cast<size_t>(site)].fetch_add(1, std::memory_order_relaxed) + 1;
  if (!armed.load(std::memory_order_acquire) || fault.site != site) return always_of(site);
  if (count < fault.first || count - fault.first >= fault.times) return always_of(site);
  happenings.fetch_add(1, std::memory_order_relaxed);
  // A look that finds nothing takes no time (points.cc).
  if (fault.kind == Kind::kDelay && site != Site::hold_back) {
    sleep_us(fault.value);
    return {};
  }
  return {fault.kind, fault.value};
}

}  // namespace ioengine::faults
