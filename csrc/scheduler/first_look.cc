// The first look of a watcher (watchFile), which node:fs takes: a request that no lane carries out, and that
// ends when JavaScript says so. Until then changes of paths wait behind it (scheduler/path_order.h).
#include <algorithm>
#include <memory>

#include "scheduler/context.h"

namespace ioengine {

int32_t IoContext::begin_first_look(std::unique_ptr<FirstLookJob> job) {
  paths_change_elsewhere();
  threads_->flush();  // look-ups that were called before
  Request* request = new_request(Operation::kFirstLook, nullptr, 0);
  request->job = job.release();
  ++unsettled_;
  path_order_.add(request);
  last_first_look_ = last_first_look_ == INT32_MAX ? 1 : last_first_look_ + 1;
  request->result = last_first_look_;
  first_looks_.push_back(request);
  return request->result;
}

void IoContext::end_first_look(int32_t id) {
  const auto found = std::find_if(first_looks_.begin(), first_looks_.end(),
                                  [id](const Request* request) { return request->result == id; });
  if (found == first_looks_.end()) return;
  Request* request = *found;
  first_looks_.erase(found);
  start_behind(request);
  --unsettled_;
  slots_.give_back(request);
}

// This thread waits, and runs no JavaScript: nothing is to wait for what that would do.
void IoContext::end_first_looks() {
  while (!first_looks_.empty()) end_first_look(first_looks_.back()->result);
}

}  // namespace ioengine
