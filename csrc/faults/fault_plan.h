// One fault at a time: at which site, at which of the calls that reach it, and what it does. Any thread may
// reach a site, so the counts are atomics.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ioengine::faults {

enum class Site : int32_t {
#define SITE(name) name,
#include "faults/sites.def"
#undef SITE
};

constexpr size_t kSiteCount = 0
#define SITE(name) +1
#include "faults/sites.def"
#undef SITE
    ;

enum class Kind : int32_t {
  kNone,
  kError,    // `value` is the errno; the call is not made, a close is
  kShort,    // a transfer moves about half of what was asked for
  kDelay,    // microseconds before the call, or how many looks find nothing
  kReorder,  // completions come in another order
  kLose,     // a wake-up is not written
};

struct Fault {
  Site site = Site::completion;
  Kind kind = Kind::kNone;
  int32_t value = 0;
  uint64_t first = 1;  // which call is the first that it happens to, counted from arm()
  uint64_t times = 1;  // how many from there on
};

// Counts begin again at zero.
void arm(const Fault& fault);
// The kind of no fault: from here on nothing fails, and the counts go on.
void disarm();
// How often the fault has happened since arm().
uint64_t happened();
uint64_t count_of(Site site);
const char* name_of(Site site);

// Calls of this site fail from here on unless the fault happens to them; 0: no longer. A machine whose caches
// are cold is made of it.
void fail_always(Site site, int32_t error);

// Only threads that say so: a test that shares its process with the engine wants no faults of its own.
void only_marked_threads(bool only);
void mark_this_thread();

// Called in front of every call of a site but those that ask for memory, failed or not; null for none.
void set_call_hook(void (*hook)());

// What is to happen to this call. A delay is over when it returns.
struct Action {
  Kind kind = Kind::kNone;
  int32_t value = 0;
  bool fails() const { return kind == Kind::kError; }
  bool is_short() const { return kind == Kind::kShort; }
};
Action next(Site site);

}  // namespace ioengine::faults
