// The points inside the engine: what a fault makes of a completion, of a look for completions and of a
// wake-up.
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

#include "backend/request.h"
#include "base/fault_points.h"
#include "faults/fault_plan.h"

namespace ioengine::faults {
namespace {

// What has moved stays moved, and is moved again: only where that is the same bytes at the same place.
bool can_be_short(const Request* request) {
  return moves_bytes(request->operation) && !request->has(kFlagCurrentPosition) && !request->has(kFlagAppend);
}

int32_t shortened(const Request* request, int32_t result) {
  const int32_t unit = request->has(kFlagDirect) ? static_cast<int32_t>(request->alignment) : 1;
  const int32_t half = result / 2 / unit * unit;
  return half > 0 ? half : result;
}

// These say that the lane cannot serve the request, not that it failed: done already, it is done again. So
// they come as AIO and the ring report them, for what may be repeated.
bool can_be_refused(const Request* request) {
  return !request->has(kFlagCurrentPosition) && !request->has(kFlagAppend);
}

}  // namespace

int32_t completed(const Request* request, int32_t result) {
  const Action action = next(Site::completion);
  if (action.is_short()) return can_be_short(request) && result > 1 ? shortened(request, result) : result;
  if (!action.fails()) return result;
  const bool refuses = action.value == EAGAIN || action.value == EOPNOTSUPP || action.value == EINTR ||
                       action.value == ECANCELED;
  return refuses && !can_be_refused(request) ? result : -action.value;
}

bool holds_back(int wake_fd) {
  if (next(Site::hold_back).kind != Kind::kDelay) return false;
  eventfd_write(wake_fd, 1);
  return true;
}

void reorder(Completion* completions, size_t count) {
  if (count > 1 && next(Site::reorder).kind == Kind::kReorder) std::reverse(completions, completions + count);
}

bool loses_wake_up() { return next(Site::arm_wake_up).kind == Kind::kLose; }

bool refuses_memory() { return next(Site::private_block).fails(); }

}  // namespace ioengine::faults
