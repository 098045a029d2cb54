// One engine per JavaScript thread: its uv handles, its turns, delivery into JavaScript, and its end.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <memory>
#include <optional>
#include <string>

#include "backend/factory.h"
#include "base/spin.h"
#include "binding/directories.h"
#include "binding/path_calls.h"
#include "binding/write_buffers.h"
#include "scheduler/context.h"

namespace ioengine {

// The numbers of one read or write, written by JavaScript before the call (src/native/addon.ts): an argument
// that is a plain number costs N-API 35 instructions, and there are five.
struct TransferCall {
  int32_t fd;
  uint32_t offset;  // of the part of the view
  uint32_t length;
  uint32_t flags;
  double position;  // -1: the file position
  int32_t answer;   // written back
};

class Environment {
 public:
  static Environment* create(napi_env env, napi_value exports);
  // What the addon gave to the first who loaded it in this thread, null for the first. A program may load the
  // JavaScript many times (test runners, bundlers' dev servers); a ring and a thread for each would add up.
  static napi_value exports_of_thread(napi_env env);

  // Makes the backend, the uv handles and the context. JavaScript calls it before the first operation.
  // Returns the choice made; its backend is null in any case, the context owns it.
  Choice start(std::optional<BackendType> type);
  bool started() const { return context_ != nullptr; }
  // Only node's main thread runs on the loop that libuv makes by itself.
  bool on_default_loop() const { return loop_ == uv_default_loop(); }
  IoContext* context() { return context_.get(); }

  // What JavaScript shares with this side, each for the life of the environment: the first that is set
  // stays. False: it is not what it has to be.
  //
  // `deliver(count)` gets `count` finished requests, slot and result of each in turn in `results` (an
  // Int32Array). `pending[slot].keepAlive` is the view of a read, or the array of its views.
  // `callbacks_in_batches`: deliver drains nextTicks and microtasks itself between two callbacks.
  bool set_handlers(napi_value deliver, napi_value results, napi_value pending, bool callbacks_in_batches);
  // Where the numbers of a read or write are.
  bool set_transfer_call(napi_value memory);
  TransferCall* transfer_call() { return transfer_call_; }
  // The same for what calls on paths find (binding/path_calls.h).
  bool set_path_call(napi_value memory);
  PathCall* path_call() { return path_call_; }
  // Where small files are read to: limits::whole_file_bytes. Null until it is set.
  bool set_scratch(napi_value memory);
  char* scratch() { return scratch_; }
  // All of it but the scratch memory is there, and an engine.
  bool is_ready() const {
    return context_ != nullptr && deliver_ != nullptr && transfer_call_ != nullptr && path_call_ != nullptr;
  }

  // To be called after anything was accepted or settled outside of a turn.
  void touched() {
    needs_turn_ = true;
    if (!holding_) hold_loop(true);
    // The callbacks of this phase of the loop may have run already: then nobody looks before the loop sleeps,
    // unless an idle handle keeps it awake.
    if (!in_turn_ && context_ != nullptr) uv_idle_start(&idle_, on_idle);
  }

  WriteBuffers& write_buffers() { return write_buffers_; }
  Directories& directories() { return directories_; }
  // Waits until everything that a program may believe written, or on its way, is with the kernel: for the end
  // of the thread and of the process. Nothing is delivered.
  void finish_writes();

  // An uncaught exception, as if node had caught it: the program's handlers run, or the process ends.
  void uncaught(napi_value error);

  napi_env env() const { return env_; }

 private:
  explicit Environment(napi_env env) : env_(env) {}
  static void on_closed(uv_handle_t* handle);
  static void on_cleanup(napi_async_cleanup_hook_handle handle, void* self);
  template <typename Type>
  bool share(napi_value memory, size_t bytes_min, Type** pointer, napi_ref* reference);

  // event_loop.cc
  static void on_wake_up(uv_poll_t* handle, int status, int events);
  static void on_prepare(uv_prepare_t* handle);
  static void on_check(uv_check_t* handle);
  static void on_idle(uv_idle_t*) {}
  void turn();
  void rest();
  bool immediates_wait() const;
  bool spin();
  void hold_loop(bool hold);

  // delivery.cc
  void deliver();
  int32_t finish_memory(Request* request);
  bool is_still_there(const Request* request);
  size_t collect(Request** batch);
  bool call_deliver(size_t count);
  bool has_async_context();
  void end_async_context();

  napi_env env_;
  std::unique_ptr<IoContext> context_;
  WriteBuffers write_buffers_;
  Directories directories_;
  int wake_fd_ = -1;
  uv_poll_t wake_up_ = {};
  uv_prepare_t prepare_ = {};
  uv_check_t check_ = {};
  uv_idle_t idle_ = {};
  int open_handles_ = 0;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  napi_ref exports_ = nullptr;
  uv_loop_t* loop_ = nullptr;
  napi_ref deliver_ = nullptr;
  napi_ref results_reference_ = nullptr;
  napi_ref pending_ = nullptr;
  napi_async_context async_context_ = nullptr;  // of deliveries, until there is nothing left to deliver
  napi_ref transfer_call_reference_ = nullptr;
  TransferCall* transfer_call_ = nullptr;
  napi_ref path_call_reference_ = nullptr;
  PathCall* path_call_ = nullptr;
  napi_ref scratch_reference_ = nullptr;
  char* scratch_ = nullptr;
  int32_t* results_ = nullptr;
  uint64_t turn_started_ns_ = 0;
  uint64_t slept_ns_ = 0;  // that the loop has, in all, when it last went to sleep
  uint32_t spins_left_ = 0;
  SpinPolicy spin_policy_;
  bool callbacks_in_batches_ = false;
  bool in_turn_ = false;
  bool needs_turn_ = false;
  bool holding_ = false;
  bool ending_ = false;
};

// entry_points.cc
napi_value define_entry_points(Environment* environment, napi_value exports);

#ifdef IOENGINE_FAULT_POINTS
void define_fault_calls(napi_env env, napi_value exports);  // csrc/faults/
#endif

}  // namespace ioengine
