// Calls that node:fs serves take their turn among those of the engine. Such a call is a request that no lane
// carries out: when its turn comes JavaScript calls node's function, and ends the request when that has
// called back. Until then the later calls that it concerns wait behind it (scheduler/path_order.h says
// which).
#include <algorithm>
#include <memory>

#include "scheduler/context.h"

namespace ioengine {

int32_t IoContext::begin_host_call(std::unique_ptr<HostCallJob> job, HostCall kind, uint32_t flags) {
  paths_change_elsewhere();
  threads_->flush();  // look-ups that were called before
  Request* request = new_request(Operation::kHostCall, nullptr, flags);
  request->job = job.release();
  request->mode = static_cast<int32_t>(kind);
  ++unsettled_;
  path_order_.add(request);
  Request* earlier = kind == HostCall::kFirstLook ? nullptr : path_order_.find_earlier(request);
  if (earlier != nullptr) {
    wait_behind(earlier, request);
    return accepted_in(request->slot);
  }
  return run_host_call(request);
}

// Only of the engine's files, which are local: calls on any path wait behind it, and must not wait for a dead
// server.
int32_t IoContext::begin_host_call(int fd, uint32_t flags) {
  paths_change_elsewhere();
  Descriptor* descriptor = usable(fd, flags);
  if (descriptor == nullptr || descriptor->foreign() || descriptor->remote() || descriptor->closing) return 0;
  Request* request = new_request(Operation::kHostCall, descriptor, flags);
  request->gate = Gate::kExclusive;
  request->mode = static_cast<int32_t>(HostCall::kChanges);
  ++descriptor->pending;
  ++unsettled_;
  path_order_.add_change(request);
  descriptor->change = request;
  descriptor->change_turn = turn_;
  if (descriptor->known() && descriptor->waiting.empty() && descriptor->admits(request)) {
    descriptor->enter(request);
    return run_host_call(request);
  }
  if (descriptor->knowledge == Knowledge::kUnknown) {
    start_unknown(request);
  } else {
    descriptor->waiting.push(request);
  }
  return accepted_in(request->slot);
}

int32_t IoContext::run_host_call(Request* request) {
  last_host_call_ = last_host_call_ == INT32_MAX ? 1 : last_host_call_ + 1;
  request->result = last_host_call_;
  host_calls_.push_back(request);
  return request->result;
}

// It had to wait, so JavaScript gets its turn as a result.
void IoContext::start_host_call(Request* request) {
  if (stopping_) return cancel(request);
  run_host_call(request);
  finish(request);
  // This thread waits and runs no JavaScript: nothing is to wait for what it would do.
  if (blocking_) end_host_call(request->result);
}

void IoContext::end_host_call(int32_t id) {
  const auto found = std::find_if(host_calls_.begin(), host_calls_.end(),
                                  [id](const Request* request) { return request->result == id; });
  if (found == host_calls_.end()) return;
  Request* request = *found;
  host_calls_.erase(found);
  start_behind(request);
  --unsettled_;
  Descriptor* descriptor = request->descriptor;
  if (descriptor != nullptr) {
    leave_descriptor(request, 0);
    --descriptor->pending;
  }
  if (!request->finished) slots_.give_back(request);  // else when it has been delivered
  if (descriptor == nullptr) return;
  if (descriptor->waiting.empty()) {
    descriptors_.release(descriptor);
  } else {
    pump(descriptor);
  }
}

bool IoContext::is_host_call_under_way(const Request* request) const {
  return std::find(host_calls_.begin(), host_calls_.end(), request) != host_calls_.end();
}

void IoContext::end_host_calls() {
  while (!host_calls_.empty()) end_host_call(host_calls_.back()->result);
}

}  // namespace ioengine
