// The engine in the event loop: its wake-up, its turns, and when it keeps the loop from ending or from
// sleeping.
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "binding/environment.h"

namespace ioengine {

void Environment::hold_loop(bool hold) {
  if (hold == holding_) return;
  holding_ = hold;
  auto* handle = reinterpret_cast<uv_handle_t*>(&wake_up_);
  if (hold) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Environment::on_wake_up(uv_poll_t* handle, int, int) {
  auto* self = static_cast<Environment*>(handle->data);
  eventfd_t count;
  eventfd_read(self->wake_fd_, &count);
  self->turn();
}

void Environment::on_prepare(uv_prepare_t* handle) {
  auto* self = static_cast<Environment*>(handle->data);
  if (!self->needs_turn_ && self->spin()) self->touched();
  // The loop may sleep now.
  if (self->context_) self->context_->start_iteration();
}

// The loop is about to sleep, and did so lately: it has nothing else to do, no immediates that would have run
// before a result of the pool came in. Then the pool is waited for here, as long as that is not in vain.
// True: something has ended.
bool Environment::spin() {
  if (ending_ || !context_->may_spin() || uv_backend_timeout(loop_) == 0) return false;
  const uint64_t slept_ns = uv_metrics_idle_time(loop_);
  if (slept_ns != slept_ns_) spins_left_ = limits::spins_in_a_row;
  slept_ns_ = slept_ns;
  if (spins_left_ == 0 || !spin_policy_.tries()) return false;
  --spins_left_;
  const bool ended = context_->spin(limits::spin_ns);
  spin_policy_.learn(ended);
  if (!ended) rest();
  return ended;
}

// Behind the poll phase, in which everybody else has heard of what happened before: a watcher of files must
// not learn of a directory after the program that awaited mkdir. In front of node's own handle, which runs
// the immediates: libuv calls the youngest first. What may come no sooner than they goes with the next turn.
void Environment::on_check(uv_check_t* handle) {
  auto* self = static_cast<Environment*>(handle->data);
  if (self->needs_turn_) self->turn();
  if (!self->ending_ && self->context_->start_check_phase()) self->touched();
}

// Submit, reap, deliver, and again: what JavaScript calls during delivery is submitted at once, and
// cached reads have completed by then. Bounded, so that timers and sockets get their share.
void Environment::turn() {
  if (in_turn_ || ending_) return;
  in_turn_ = true;
  needs_turn_ = false;
  turn_started_ns_ = monotonic_ns();
  uv_idle_stop(&idle_);
  context_->start_turn();
  context_->disarm_wake();
  context_->allow_early(!immediates_wait());
  while (context_->round()) {
    deliver();
    if (ending_ || monotonic_ns() - turn_started_ns_ > limits::turn_time_ns) break;
  }
  if (ending_ || !context_->has_undelivered()) end_async_context();
  in_turn_ = false;
  if (!ending_) rest();
}

// Whether the loop has work in this iteration behind the poll phase: immediates (node starts an idle handle
// for them) or handles to close. Ours is not started during a turn. A timer that is due counts too.
bool Environment::immediates_wait() const { return uv_backend_timeout(loop_) == 0; }

// Before the loop polls: either there is something to do at once, or the wake-up is armed.
void Environment::rest() {
  const bool busy = context_->has_local_work() || context_->has_held_back() || context_->arm_wake();
  if (busy) {
    needs_turn_ = true;
    uv_idle_start(&idle_, on_idle);  // an active idle handle makes the loop poll without waiting
  } else {
    needs_turn_ = false;
    uv_idle_stop(&idle_);
  }
  hold_loop(context_->has_undelivered());
}

}  // namespace ioengine
