// Numbers that stand where a result or -errno would: one list, so that no two mean the same by accident.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ioengine {

// No errno of Linux is larger (MAX_ERRNO of the kernel).
constexpr int32_t kErrnoMax = 4095;

// Results that JavaScript sees. Those below kUnsupported mean that it has to resume the call: each kind of
// call has but one.
constexpr int32_t kUnsupported = -4096;   // node:fs has to serve the call, or to go on with it
constexpr int32_t kWriteStopped = -4098;  // a file was opened, and not all of it written: WriteFileJob
constexpr int32_t kUnfinished = -4099;    // the time slice is over, and there is more to do
constexpr int32_t kCopyStopped = -4100;   // node:fs has to copy, and modes are to be set: CopyTreeJob

// Those that stay inside.
constexpr int32_t kNeedsRouting = -4097;  // the pool has looked the file up, and has not run the request
constexpr int32_t kNeedsPool = -4101;     // cannot be answered on this thread without waiting

// What an accepting call returns for a request in a slot: kAcceptedBase - slot.
constexpr int32_t kAcceptedBase = -8192;

constexpr int32_t accepted_in(uint32_t slot) { return kAcceptedBase - static_cast<int32_t>(slot); }
constexpr bool is_errno(int32_t result) { return result < 0 && result >= -kErrnoMax; }

namespace result_codes {

constexpr int32_t kAll[] = {kUnsupported, kWriteStopped, kUnfinished,
                            kCopyStopped, kNeedsRouting, kNeedsPool};
constexpr size_t kCount = sizeof(kAll) / sizeof(kAll[0]);

constexpr bool are_distinct() {
  for (size_t i = 0; i < kCount; ++i) {
    if (is_errno(kAll[i]) || kAll[i] >= 0 || kAll[i] <= kAcceptedBase) return false;
    for (size_t j = 0; j < i; ++j) {
      if (kAll[i] == kAll[j]) return false;
    }
  }
  return true;
}
static_assert(are_distinct(), "each code has a number of its own, between the errnos and the slots");

}  // namespace result_codes
}  // namespace ioengine
