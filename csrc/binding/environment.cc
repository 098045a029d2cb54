#include "binding/environment.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "binding/process_exit.h"

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
  if (const int status = uv_poll_init(loop_, &wake_up_, wake_fd_); status != 0) {
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
  wake_up_.data = prepare_.data = check_.data = idle_.data = this;
  open_handles_ = 4;
  IOE_CHECK(uv_poll_start(&wake_up_, UV_READABLE, on_wake_up) == 0);
  IOE_CHECK(uv_prepare_start(&prepare_, on_prepare) == 0);
  IOE_CHECK(uv_check_start(&check_, on_check) == 0);
  // Only wake_up_ holds the loop, and only while something is unsettled.
  uv_unref(reinterpret_cast<uv_handle_t*>(&wake_up_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&prepare_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&check_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&idle_));
  watch_exit(this);
  return choice;
}

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
  self->end_async_context();
  self->finish_writes();
  self->context_->drain();
  self->context_.reset();
  for (uv_handle_t* handle :
       {reinterpret_cast<uv_handle_t*>(&self->wake_up_), reinterpret_cast<uv_handle_t*>(&self->prepare_),
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
