// Finished requests on their way into JavaScript.
#include <cerrno>
#include <utility>

#include "base/clock.h"
#include "base/limits.h"
#include "binding/environment.h"
#include "scheduler/staging.h"

namespace ioengine {

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
  napi_value pending, request_object, memory, view;
  if (napi_get_reference_value(env_, pending_, &pending) != napi_ok) return false;
  if (napi_get_element(env_, pending, request->slot, &request_object) != napi_ok) return false;
  if (napi_get_named_property(env_, request_object, "keepAlive", &memory) != napi_ok) return false;
  bool many = false;
  uint32_t views = 1;
  napi_is_array(env_, memory, &many);
  if (many) napi_get_array_length(env_, memory, &views);
  if (views < staging->user_vector_count) return false;
  for (uint32_t i = 0; i < staging->user_vector_count; ++i) {
    view = memory;
    if (many && napi_get_element(env_, memory, views - staging->user_vector_count + i, &view) != napi_ok)
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

// What a callback scope needs, while something is in flight: each callback has a context of its own, and one
// of the engine's that lives on is what test runners report as left open. To make one for each turn took 4 %
// of the reads at depth.
bool Environment::has_async_context() {
  napi_value name;
  return async_context_ != nullptr ||
         (napi_create_string_utf8(env_, "ioengine", NAPI_AUTO_LENGTH, &name) == napi_ok &&
          napi_async_init(env_, nullptr, name, &async_context_) == napi_ok);
}

void Environment::end_async_context() {
  if (async_context_ != nullptr) napi_async_destroy(env_, std::exchange(async_context_, nullptr));
}

// To be called where the exception was caught, inside of the callback: its domain and its async context are
// those that the program's handlers expect, and afterwards node empties its stack of async contexts. Had the
// exception left the callback first, a nextTick's context would still be on that stack, and node aborts the
// process.
void Environment::uncaught(napi_value error) { napi_fatal_exception(env_, error); }

}  // namespace ioengine
