#include "scheduler/inline_fuse.h"

#include <sys/resource.h>

#include <algorithm>

#include "base/limits.h"

namespace ioengine {
namespace {

// A count of switches is good for so long: a hot loop does not pay for it in each turn. Sleeps of the event
// loop in between count as sleeps of the call, so loops that do sleep, which are slower than this, count
// anew.
constexpr uint64_t kCountEvery_ns = 100 * 1000;
// Exact times of every read, after one that was slow in a turn with several.
constexpr uint64_t kWatch_ns = uint64_t{10} * 1000 * 1000 * 1000;

}  // namespace

long InlineFuse::voluntary_switches() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

void InlineFuse::start_turn(uint64_t now_ns) {
  now_ns_ = now_ns;
  turn_coarse_ns_ = coarse_now();
  exact_first_ = now_ns - counted_ns_ > kCountEvery_ns;
  if (!exact_first_) return;
  switches_ = voluntary_switches();
  counted_ns_ = now_ns;
}

bool InlineFuse::slept(uint64_t now_ns) {
  const long before = switches_;
  switches_ = voluntary_switches();
  counted_ns_ = now_ns;
  return switches_ != before;
}

void InlineFuse::watch() {
  if (slept_since(now_ns_, 0)) watch_until_ns_ = monotonic_ns() + kWatch_ns;
  turn_coarse_ns_ = coarse_now();
}

bool InlineFuse::is_barred(uint64_t mount) const {
  for (const Bar& bar : bars_) {
    if (bar.mount == mount) return now_ns_ < bar.until_ns;
  }
  return false;
}

// The entry of this mount, or the one that matters least.
InlineFuse::Bar* InlineFuse::entry_of(uint64_t mount) {
  for (Bar& bar : bars_) {
    if (bar.mount == mount) return &bar;
  }
  if (bars_.size() < limits::known_mounts) {
    bars_.push_back({mount, 0, 0});
    return &bars_.back();
  }
  Bar* oldest = &*std::min_element(bars_.begin(), bars_.end(),
                                   [](const Bar& a, const Bar& b) { return a.until_ns < b.until_ns; });
  *oldest = {mount, 0, 0};
  return oldest;
}

// Twice as long as the last time, unless that is long ago.
void InlineFuse::bar(uint64_t mount) {
  const uint64_t now = monotonic_ns();
  Bar* entry = entry_of(mount);
  const bool is_repeated = entry->length_ns > 0 && now < entry->until_ns + 10 * entry->length_ns;
  entry->length_ns =
      is_repeated ? std::min(2 * entry->length_ns, limits::inline_bar_max_ns) : limits::inline_bar_ns;
  entry->until_ns = now + entry->length_ns;
  last_until_ns_ = std::max(last_until_ns_, entry->until_ns);
  look_again();
  ++times_;
}

void InlineFuse::prolong(uint64_t mount) {
  const uint64_t now = monotonic_ns();
  for (Bar& bar : bars_) {
    if (bar.mount != mount || now >= bar.until_ns) continue;
    bar.until_ns = now + bar.length_ns;
    last_until_ns_ = std::max(last_until_ns_, bar.until_ns);
  }
}

uint64_t InlineFuse::barred_mounts() {
  now_ns_ = monotonic_ns();
  uint64_t count = 0;
  for (const Bar& bar : bars_) count += now_ns_ < bar.until_ns ? 1 : 0;
  return count;
}

}  // namespace ioengine
