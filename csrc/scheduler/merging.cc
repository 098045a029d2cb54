// Merging: adjacent direct requests of one descriptor become one vectored operation. Small sequential
// O_DIRECT writes and reads are the case that gains: the device is asked once instead of many times.

#include <cerrno>

#include "base/check.h"
#include "base/limits.h"
#include "scheduler/bounce.h"
#include "scheduler/context.h"

namespace ioengine {
namespace {

bool can_ride(const Request* request) {
  return moves_bytes(request->operation) && request->has(kFlagDirect) && request->bounce == nullptr &&
         request->merged == nullptr && request->vector_count == 1 && request->gate == Gate::kShared &&
         request->done == 0 && !request->has(kFlagAlone);
}

bool follows(const Request* first, const Request* last, const Request* next) {
  return next->descriptor == first->descriptor && next->operation == first->operation && can_ride(next) &&
         first->has(kFlagMayWait) == next->has(kFlagMayWait) && last->offset + last->wanted == next->offset;
}

}  // namespace

// Looks at neighbours in the ready list only: requests that were issued one after the other stand there one
// after the other, and a search would cost more than it finds.
void IoContext::merge_ready() {
  RequestQueue merged;
  while (Request* first = ready_.pop()) {
    Request* last = first;
    uint64_t bytes = first->wanted;
    RequestQueue riders;
    while (can_ride(first) && !ready_.empty() && follows(first, last, ready_.front()) &&
           bytes + ready_.front()->wanted <= limits::merge_bytes &&
           riders.size() + 1 < limits::merge_requests) {
      last = ready_.pop();
      bytes += last->wanted;
      riders.push(last);
    }
    merged.push(riders.empty() ? first : make_carrier(first, &riders, bytes));
  }
  ready_ = merged;
}

// The carrier is a request of the engine's own; the caller's requests stay whole and are completed from its
// result.
Request* IoContext::make_carrier(Request* first, RequestQueue* riders, uint64_t bytes) {
  Request* carrier = new_request(first->operation, first->descriptor, first->flags | kFlagInternal);
  const uint32_t count = static_cast<uint32_t>(riders->size()) + 1;
  carrier->lane = first->lane;
  carrier->offset = first->offset;
  carrier->wanted = bytes;
  carrier->alignment = first->alignment;
  carrier->nowait = first->nowait;
  carrier->owned_vectors = new iovec[count];
  carrier->vectors = carrier->owned_vectors;
  carrier->vector_count = count;
  carrier->merged = first;
  first->next = riders->front();
  uint32_t index = 0;
  for (Request* rider = first; rider != nullptr; rider = rider->next) {
    carrier->owned_vectors[index++] = rider->vectors[0];
    carrier->tags += rider->tags;  // of those that have waited for them
    rider->tags = 0;
  }
  statistics_.merged += count - 1;
  return carrier;
}

// Hands the result back to each request. Each takes what fell into its range. An error belongs to nobody
// until that request has failed alone (H31), so all that got nothing are done again by the pool, and find
// their own error or end of file: in one submit the block layer would merge neighbours again. A refusal says
// nothing about the disk: it is everybody's.
void IoContext::complete_merged(Request* carrier, int32_t result) {
  Request* rider = carrier->merged;
  carrier->merged = nullptr;
  uint64_t left = result > 0 ? static_cast<uint64_t>(result) : 0;
  const bool refused = result == -EAGAIN || result == -EOPNOTSUPP || result == -ECANCELED;
  slots_.give_back(carrier);
  while (rider != nullptr) {
    Request* next = rider->next;
    rider->next = nullptr;
    const uint64_t share = left < rider->wanted ? left : rider->wanted;
    left -= share;
    if (share > 0 || refused) {
      complete(rider, refused ? result : static_cast<int32_t>(share));
    } else {
      rider->flags |= kFlagAlone;
      stopping_ ? cancel(rider) : reroute_to_threads(rider);
    }
    rider = next;
  }
}

}  // namespace ioengine
