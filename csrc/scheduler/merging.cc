// Merging: adjacent direct requests of one descriptor become one vectored operation. Small sequential
// O_DIRECT writes and reads are the case that gains: the device gets one request instead of many.

#include <cerrno>

#include "base/check.h"
#include "base/limits.h"
#include "scheduler/bounce.h"
#include "scheduler/context.h"

namespace ioengine {
namespace {

bool can_be_merged(const Request* request) {
  return moves_bytes(request->operation) && request->has(kFlagDirect) && request->bounce == nullptr &&
         request->parts == nullptr && request->vector_count == 1 && request->gate == Gate::kShared &&
         request->done == 0 && !request->has(kFlagAlone);
}

bool follows(const Request* first, const Request* last, const Request* next) {
  return next->descriptor == first->descriptor && next->operation == first->operation &&
         can_be_merged(next) && first->has(kFlagMayWait) == next->has(kFlagMayWait) &&
         last->offset + last->wanted == next->offset;
}

}  // namespace

// Looks at neighbours in the ready list only: requests that were issued one after the other stand there one
// after the other, and a search would cost more than it finds.
void IoContext::merge_ready() {
  RequestQueue result;
  while (Request* first = ready_.pop()) {
    Request* last = first;
    uint64_t bytes = first->wanted;
    RequestQueue others;
    while (can_be_merged(first) && !ready_.empty() && follows(first, last, ready_.front()) &&
           bytes + ready_.front()->wanted <= limits::merge_bytes &&
           others.size() + 1 < limits::merge_requests) {
      last = ready_.pop();
      bytes += last->wanted;
      others.push(last);
    }
    result.push(others.empty() ? first : make_merged(first, &others, bytes));
  }
  ready_ = result;
}

// The merged request is the engine's own; the caller's requests stay whole and are completed from its
// result.
Request* IoContext::make_merged(Request* first, RequestQueue* others, uint64_t bytes) {
  Request* merged = new_request(first->operation, first->descriptor, first->flags | kFlagInternal);
  const uint32_t count = static_cast<uint32_t>(others->size()) + 1;
  merged->lane = first->lane;
  merged->offset = first->offset;
  merged->wanted = bytes;
  merged->alignment = first->alignment;
  merged->nowait = first->nowait;
  merged->owned_vectors = new iovec[count];
  merged->vectors = merged->owned_vectors;
  merged->vector_count = count;
  merged->parts = first;
  first->next = others->front();
  uint32_t index = 0;
  for (Request* part = first; part != nullptr; part = part->next) {
    merged->owned_vectors[index++] = part->vectors[0];
    merged->tags += part->tags;  // of those that have waited for them
    part->tags = 0;
  }
  statistics_.merged += count - 1;
  return merged;
}

// Hands the result back to each request. Each takes what fell into its range. An error belongs to no part
// until that has failed alone (H31), so all that got nothing are done again by the pool, and find
// their own error or end of file: in one submit the block layer would merge neighbours again. A refusal says
// nothing about the disk: it is every part's.
void IoContext::complete_merged(Request* merged, int32_t result) {
  Request* part = merged->parts;
  merged->parts = nullptr;
  uint64_t left = result > 0 ? static_cast<uint64_t>(result) : 0;
  const bool refused = result == -EAGAIN || result == -EOPNOTSUPP || result == -ECANCELED;
  slots_.give_back(merged);
  while (part != nullptr) {
    Request* next = part->next;
    part->next = nullptr;
    const uint64_t share = left < part->wanted ? left : part->wanted;
    left -= share;
    if (share > 0 || refused) {
      complete(part, refused ? result : static_cast<int32_t>(share));
    } else {
      part->flags |= kFlagAlone;
      stopping_ ? cancel(part) : reroute_to_threads(part);
    }
    part = next;
  }
}

}  // namespace ioengine
