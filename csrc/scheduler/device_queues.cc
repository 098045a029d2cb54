#include "scheduler/device_queues.h"

#include "base/check.h"
#include "scheduler/context.h"

namespace ioengine {

bool DeviceQueue::take(Request* request) {
  const uint32_t needed = tags_->needed(request->remaining(), request->vector_count);
  if (!tags_->take(needed, held_)) return false;
  request->tags = needed;
  held_ += needed;
  return true;
}

bool DeviceQueue::admit(Request* request) {
  if (waiting_.empty() && take(request)) return true;
  if (waiting_.empty()) tags_->engine_waits();
  waiting_.push(request);
  return false;
}

void DeviceQueue::release(Request* request) {
  IOE_CHECK(held_ >= request->tags);
  held_ -= request->tags;
  tags_->give_back(request->tags);
  request->tags = 0;
}

Request* DeviceQueue::next() {
  if (waiting_.empty() || !take(waiting_.front())) return nullptr;
  return pop();
}

Request* DeviceQueue::pop() {
  Request* request = waiting_.pop();
  if (request != nullptr && waiting_.empty()) tags_->engine_waits_no_more();
  return request;
}

DeviceQueue* DeviceQueues::of(DeviceTags* tags) {
  for (const auto& queue : queues_) {
    if (queue->tags() == tags) return queue.get();
  }
  queues_.push_back(std::make_unique<DeviceQueue>(tags));
  return queues_.back().get();
}

// Whether the request may go to its device now. False: it waits for tags, and is started when there are some.
bool IoContext::has_tags(Request* request) {
  if (request->tags != 0 || !request->has(kFlagDirect) || request->has(kFlagClearDirect)) return true;
  DeviceTags* tags = request->descriptor->facts.tags;
  return tags == nullptr || device_queues_.of(tags)->admit(request);
}

// The device has done with the request: those that waited go on.
void IoContext::release_tags(Request* request) {
  DeviceQueue* queue = device_queues_.of(request->descriptor->facts.tags);
  queue->release(request);
  while (Request* next = queue->next()) {
    if (next->lane == Lane::kThreads) {
      to_threads(next);
    } else {
      ready_.push(next);
      ++mergeable_;
    }
  }
}

// Direct requests that the pool serves hold tags as well.
void IoContext::direct_to_threads(Request* request) {
  request->lane = Lane::kThreads;
  const bool bounded = own_threads_ != nullptr;  // else nothing is ever submitted on this thread
  if (!bounded || has_tags(request)) to_threads(request);
}

}  // namespace ioengine
