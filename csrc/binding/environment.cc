#include "binding/environment.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "binding/process_exit.h"
#include "scheduler/staging.h"

namespace ioengine {

namespace {
thread_local Environment* thread_environment = nullptr;
}

// A thread has one loop, unless an embedder gives it several, each with a Node of its own.
napi_value Environment::exports_of_thread(napi_env env) {
  Environment* first = thread_environment;
  uv_loop_t* loop = nullptr;
  if (first == nullptr || first->ending_ || napi_get_uv_event_loop(env, &loop) != napi_ok) return nullptr;
  napi_value exports;
  const bool shared =
      loop == first->loop_ && napi_get_reference_value(first->env_, first->exports_, &exports) == napi_ok;
  return shared ? exports : nullptr;
}

Environment* Environment::create(napi_env env, napi_value exports) {
  auto* environment = new Environment(env);
  IOE_CHECK(napi_get_uv_event_loop(env, &environment->loop_) == napi_ok);
  IOE_CHECK(napi_create_reference(env, exports, 1, &environment->exports_) == napi_ok);
  thread_environment = environment;
  IOE_CHECK(napi_set_instance_data(env, environment, nullptr, nullptr) == napi_ok);
  IOE_CHECK(napi_add_async_cleanup_hook(env, on_cleanup, environment, &environment->cleanup_) == napi_ok);
  return environment;
}

bool Environment::set_handlers(napi_value deliver, napi_value results, napi_value pending,
                               bool callbacks_in_batches) {
  if (deliver_ != nullptr) return false;
  void* memory = nullptr;
  size_t length = 0;
  napi_typedarray_type type;
  napi_valuetype kind;
  bool is_array = false;
  if (napi_typeof(env_, deliver, &kind) != napi_ok || kind != napi_function) return false;
  if (napi_is_array(env_, pending, &is_array) != napi_ok || !is_array) return false;
  if (napi_get_typedarray_info(env_, results, &type, &length, &memory, nullptr, nullptr) != napi_ok ||
      type != napi_int32_array || length < limits::results_per_delivery * 2)
    return false;
  callbacks_in_batches_ = callbacks_in_batches;
  results_ = static_cast<int32_t*>(memory);
  napi_create_reference(env_, results, 1, &results_reference_);
  napi_create_reference(env_, pending, 1, &pending_);
  napi_create_reference(env_, deliver, 1, &deliver_);
  return true;
}

template <typename Type>
bool Environment::share(napi_value memory, size_t bytes_min, Type** pointer, napi_ref* reference) {
  void* data = nullptr;
  size_t size = 0;
  if (*pointer != nullptr) return false;
  if (napi_get_arraybuffer_info(env_, memory, &data, &size) != napi_ok || size < bytes_min) return false;
  if (napi_create_reference(env_, memory, 1, reference) != napi_ok) return false;
  *pointer = static_cast<Type*>(data);
  return true;
}

bool Environment::set_transfer_call(napi_value memory) {
  return share(memory, sizeof(TransferCall), &transfer_call_, &transfer_call_reference_);
}

bool Environment::set_path_call(napi_value memory) {
  return share(memory, sizeof(PathCall), &path_call_, &path_call_reference_);
}

bool Environment::set_scratch(napi_value memory) {
  return share(memory, limits::whole_file_bytes, &scratch_, &scratch_reference_);
}

Choice Environment::start(std::optional<BackendType> type) {
  Choice choice;
  if (ending_) {
    choice.result.error_number = ECANCELED;
    choice.result.cause = "this thread is ending";
    return choice;
  }
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ == -1) {
    choice.result.error_number = errno;
    choice.result.cause = "no free file descriptor for the engine's eventfd";
    choice.result.fix = "raise the open-files limit (ulimit -n, LimitNOFILE=)";
    return choice;
  }
  choice = create_backend(limits::depth, type, wake_fd_);
  if (!choice.result.backend) {
    ::close(wake_fd_);
    wake_fd_ = -1;
    return choice;
  }
  context_ = std::make_unique<IoContext>(std::move(choice.result.backend), wake_fd_);

  // The one that can fail: another event loop in the place of libuv's, a descriptor that epoll does not take.
  if (const int status = uv_poll_init(loop_, &bell_, wake_fd_); status != 0) {
    context_.reset();
    ::close(wake_fd_);
    wake_fd_ = -1;
    choice.result.error_number = -status;
    choice.result.cause = "the event loop does not watch the engine's eventfd";
    choice.result.fix = "raise the open-files limit (ulimit -n), or see fs.epoll.max_user_watches";
    return choice;
  }
  IOE_CHECK(uv_prepare_init(loop_, &prepare_) == 0);
  IOE_CHECK(uv_check_init(loop_, &check_) == 0);
  IOE_CHECK(uv_idle_init(loop_, &idle_) == 0);
  bell_.data = prepare_.data = check_.data = idle_.data = this;
  open_handles_ = 4;
  IOE_CHECK(uv_poll_start(&bell_, UV_READABLE, on_bell) == 0);
  IOE_CHECK(uv_prepare_start(&prepare_, on_prepare) == 0);
  IOE_CHECK(uv_check_start(&check_, on_check) == 0);
  // Only bell_ holds the loop, and only while something is unsettled.
  uv_unref(reinterpret_cast<uv_handle_t*>(&bell_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&prepare_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&check_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&idle_));
  watch_exit(this);
  return choice;
}

void Environment::hold_loop(bool hold) {
  if (hold == holding_) return;
  holding_ = hold;
  auto* handle = reinterpret_cast<uv_handle_t*>(&bell_);
  if (hold) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Environment::on_bell(uv_poll_t* handle, int, int) {
  auto* self = static_cast<Environment*>(handle->data);
  eventfd_t rung;
  eventfd_read(self->wake_fd_, &rung);
  self->turn();
}

void Environment::on_prepare(uv_prepare_t* handle) {
  auto* self = static_cast<Environment*>(handle->data);
  if (!self->needs_turn_ && self->spin()) self->touched();
  // The loop may sleep now.
  if (self->context_) self->context_->start_iteration();
}

// The loop is about to sleep, and did so lately: it has nothing else to do, no immediates that would have run
// before a result of the pool came in. Then the pool is waited for
// here, as long as that is not in vain. True: something has ended.
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

// Submit, reap, deliver, and again: what JavaScript asked for during delivery is submitted at once, and
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
  if (async_context_ != nullptr) napi_async_destroy(env_, std::exchange(async_context_, nullptr));
  in_turn_ = false;
  if (!ending_) rest();
}

// Whether the loop has work in this iteration behind the poll phase: immediates (node starts an idle handle
// for them) or handles to close. Ours is not started during a turn. A timer that is due counts too.
bool Environment::immediates_wait() const { return uv_backend_timeout(loop_) == 0; }

// Before the loop polls: either there is something to do at once, or the bell is armed.
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

void Environment::deliver() {
  napi_handle_scope scope;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
  bool alive = true;
  while (alive && !ending_ && context_->has_finished()) {
    // Slots are given back after JavaScript has seen them: code that a delivery runs may take new ones.
    Request* batch[limits::results_per_delivery];
    const size_t count = collect(batch);
    alive = call_deliver(count);
    context_->allow_early(!immediates_wait());
    for (size_t i = 0; i < count; ++i) context_->give_back(batch[i]);
    if (monotonic_ns() - turn_started_ns_ > limits::turn_time_ns) break;
  }
  napi_close_handle_scope(env_, scope);
}

// The result to deliver. What a staged read brought is copied now, if the caller's memory is still where it
// was.
int32_t Environment::finish_memory(Request* request) {
  if (request->staging == nullptr || request->result <= 0) return request->result;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return -EFAULT;
  const bool there = is_still_there(request);
  napi_close_handle_scope(env_, scope);
  if (!there) return -EFAULT;
  copy_staged(request);
  return request->result;
}

// Vectors that the inline lane had filled are gone from the front, so vectors and views are matched from the
// end.
bool Environment::is_still_there(const Request* request) {
  const Staging* staging = request->staging;
  napi_value pending, request_object, subject, view;
  if (napi_get_reference_value(env_, pending_, &pending) != napi_ok) return false;
  if (napi_get_element(env_, pending, request->slot, &request_object) != napi_ok) return false;
  if (napi_get_named_property(env_, request_object, "subject", &subject) != napi_ok) return false;
  bool many = false;
  uint32_t views = 1;
  napi_is_array(env_, subject, &many);
  if (many) napi_get_array_length(env_, subject, &views);
  if (views < staging->user_vector_count) return false;
  for (uint32_t i = 0; i < staging->user_vector_count; ++i) {
    view = subject;
    if (many && napi_get_element(env_, subject, views - staging->user_vector_count + i, &view) != napi_ok)
      return false;
    bool is_view = false;
    void* data = nullptr;
    size_t size = 0;
    if (napi_is_buffer(env_, view, &is_view) != napi_ok || !is_view) return false;
    if (napi_get_buffer_info(env_, view, &data, &size) != napi_ok) return false;
    const char* start = static_cast<const char*>(data);
    const char* wanted = static_cast<const char*>(staging->user_vectors[i].iov_base);
    if (wanted < start || wanted + staging->user_vectors[i].iov_len > start + size) return false;
  }
  return true;
}

// Fills `results_` with finished requests. A callback gets a delivery of its own where JavaScript cannot
// drain nextTicks and microtasks itself before it; and it begins one behind a failure, which may make a
// nextTick emit an 'error' that nobody listens for: only call_deliver() lets node know the line.
size_t Environment::collect(Request** batch) {
  size_t count = 0;
  bool failed = false;
  while (count < limits::results_per_delivery) {
    const Request* next = context_->peek_finished();
    if (next == nullptr) break;
    const bool calls_back = next->has(kFlagCallback);
    if (calls_back && count > 0 && (failed || !callbacks_in_batches_)) break;
    batch[count] = context_->take_finished();
    results_[count * 2] = static_cast<int32_t>(batch[count]->slot);
    results_[count * 2 + 1] = finish_memory(batch[count]);
    failed = failed || results_[count * 2 + 1] < 0;
    ++count;
    if (calls_back && !callbacks_in_batches_) break;
  }
  return count;
}

// One callback into JavaScript, as node makes them: nextTicks and microtasks are drained at its end. What
// they throw is raised there by node, which still knows the line that threw: napi_make_callback would catch
// it first and forget the line. What callbacks throw does not come out of `deliver` (uncaught() below).
// False: JavaScript can no longer run, the environment is ending.
bool Environment::call_deliver(size_t count) {
  napi_value function, receiver, argument;
  napi_callback_scope scope;
  if (napi_get_reference_value(env_, deliver_, &function) != napi_ok ||
      napi_get_reference_value(env_, pending_, &receiver) != napi_ok ||
      napi_create_uint32(env_, static_cast<uint32_t>(count), &argument) != napi_ok || !has_async_context() ||
      napi_open_callback_scope(env_, receiver, async_context_, &scope) != napi_ok) {
    return false;
  }
  const napi_status status = napi_call_function(env_, receiver, function, 1, &argument, nullptr);
  napi_value error;
  if (status == napi_pending_exception && napi_get_and_clear_last_exception(env_, &error) == napi_ok) {
    uncaught(error);
  }
  napi_close_callback_scope(env_, scope);
  return status == napi_ok;
}

// What a callback scope needs, for one turn: each callback has a context of its own, and one of the engine's
// that lives on is what test runners report as left open.
bool Environment::has_async_context() {
  napi_value name;
  return async_context_ != nullptr ||
         (napi_create_string_utf8(env_, "ioengine", NAPI_AUTO_LENGTH, &name) == napi_ok &&
          napi_async_init(env_, nullptr, name, &async_context_) == napi_ok);
}

// To be called where the exception was caught, inside of the callback: its domain and its async context are
// those that the program's handlers expect, and afterwards node empties its stack of async contexts. Had the
// exception left the callback first, a nextTick's context would still be on that stack, and node aborts the
// process.
void Environment::uncaught(napi_value error) { napi_fatal_exception(env_, error); }

void Environment::finish_writes() {
  context_->settle_writes();
  write_buffers_.write_rest(*context_);
}

// The end of a thread, or of a process that has nothing left to do. External buffers have been finalized
// already (H8), V8 frees the others once this hook has finished: so it waits until the kernel has let go of
// every one of them (H1), joins the pool (H10) and closes the uv handles, without which the loop of a Worker
// aborts.
void Environment::on_cleanup(napi_async_cleanup_hook_handle, void* data) {
  auto* self = static_cast<Environment*>(data);
  self->ending_ = true;
  if (thread_environment == self) thread_environment = nullptr;
  if (!self->context_) {
    napi_remove_async_cleanup_hook(self->cleanup_);
    delete self;
    return;
  }
  unwatch_exit(self);
  self->finish_writes();
  self->context_->drain();
  self->context_.reset();
  for (uv_handle_t* handle :
       {reinterpret_cast<uv_handle_t*>(&self->bell_), reinterpret_cast<uv_handle_t*>(&self->prepare_),
        reinterpret_cast<uv_handle_t*>(&self->check_), reinterpret_cast<uv_handle_t*>(&self->idle_)}) {
    uv_close(handle, on_closed);
  }
}

void Environment::on_closed(uv_handle_t* handle) {
  auto* self = static_cast<Environment*>(handle->data);
  if (--self->open_handles_ > 0) return;
  ::close(self->wake_fd_);
  napi_remove_async_cleanup_hook(self->cleanup_);
  delete self;
}

}  // namespace ioengine
