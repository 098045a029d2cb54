// The rounds of the engine (submit, reap, settle), the order in which JavaScript gets what has settled, and
// the wake-up of the event loop.

#include <unistd.h>

#include "base/check.h"
#include "base/limits.h"
#include "scheduler/context.h"
#include "scheduler/staging.h"

namespace ioengine {

IoContext::IoContext(std::unique_ptr<IoBackend> backend, int wake_fd)
    : backend_(std::move(backend)), wake_fd_(wake_fd) {
  if (backend_->type() == BackendType::kThreads) {
    threads_ = static_cast<ThreadsBackend*>(backend_.get());
  } else {
    own_threads_ = std::make_unique<ThreadsBackend>(limits::depth, wake_fd);
    threads_ = own_threads_.get();
  }
}

IoContext::~IoContext() {
  IOE_CHECK(in_flight() == 0);
  start_check_phase();
  finished_.append(&early_);
  while (Request* request = finished_.pop()) {
    // An open that nobody heard of: its descriptor has no owner but node, whose number it may have.
    if (request->operation == Operation::kOpen && request->result >= 0 && request->open->number < 0)
      ::close(request->result);
    give_back(request);
  }
}

size_t IoContext::active() const {
  return threads_->running() + (own_threads_ != nullptr ? backend_->in_flight() : 0);
}

size_t IoContext::in_flight() const {
  return backend_->in_flight() + (own_threads_ != nullptr ? own_threads_->in_flight() : 0);
}

void IoContext::start_turn() {
  ++turn_;
  looked_up_ = 0;
  inline_lane_.start_turn();
  path_order_.start_turn();
}

bool IoContext::has_local_work() const { return has_finished() || can_start_more(); }

bool IoContext::can_start_more() const {
  const bool room = backend_->in_flight() < backend_->capabilities().depth;
  const bool stageable = !unstaged_.empty() && !staging_is_full(unstaged_.front()->remaining());
  return !cached_.empty() || stageable || (!ready_.empty() && room);
}

bool IoContext::round() {
  ++round_;
  run_cached();
  start_unstaged();
  submit_ready();
  threads_->flush();
  reap_from(backend_.get());
  if (own_threads_ != nullptr) reap_from(own_threads_.get());
  // What settling has started, and what found no room before the reaping.
  submit_ready();
  threads_->flush();
  return has_finished();
}

size_t IoContext::reap_from(IoBackend* backend) {
  size_t total = 0;
  Completion completions[128];
  while (backend->in_flight() > 0) {
    const size_t count = backend->reap(completions, 128);
    for (size_t i = 0; i < count; ++i) complete(completions[i].request, completions[i].result);
    total += count;
    if (count < 128) break;
  }
  return total;
}

void IoContext::give_back(Request* request) {
  if (const Staging* staging = request->staging)
    (staging->remote ? staged_remote_bytes_ : staged_bytes_) -= staging->vector_bytes;
  slots_.give_back(request);
}

const Request* IoContext::peek_finished() const {
  if (!finished_.empty()) return finished_.front();
  return early_allowed_ ? early_.front() : nullptr;
}

Request* IoContext::take_finished() {
  if (!finished_.empty()) return finished_.pop();
  return early_allowed_ ? early_.pop() : nullptr;
}

bool IoContext::start_check_phase() {
  ++check_phase_;
  finished_.append(&early_);
  finished_.append(&held_back_);
  return has_finished();
}

bool IoContext::arm_wake() {
  const bool backend = backend_->arm_wake();
  const bool threads = own_threads_ != nullptr && own_threads_->arm_wake();
  return backend || threads;
}

void IoContext::disarm_wake() {
  backend_->disarm_wake();
  if (own_threads_ != nullptr) own_threads_->disarm_wake();
}

}  // namespace ioengine
