// The functions that JavaScript calls. Arguments have been validated in src/; plain values go in, one number
// comes out (scheduler/context.h says what it means). The N-API C interface is used directly: these run once
// per operation.

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/errno_name.h"
#include "base/limits.h"
#include "binding/aligned_buffer.h"
#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/path_argument.h"
#include "binding/path_calls.h"
#include "binding/stream_calls.h"

namespace ioengine {
namespace {

// The memory of `view`, if it holds at least `end` bytes. JavaScript has checked this; a buffer that shrank
// in between must not become a stray write of the kernel.
bool memory_of(napi_env env, napi_value view, uint64_t end, char** memory) {
  void* data = nullptr;
  size_t size = 0;
  // Quicker than napi_get_buffer_info. The size is in elements, so larger elements may need the second call.
  if (napi_get_typedarray_info(env, view, nullptr, &size, &data, nullptr, nullptr) != napi_ok || end > size) {
    if (napi_get_buffer_info(env, view, &data, &size) != napi_ok || end > size) return false;
  }
  *memory = static_cast<char*>(data);
  return true;
}

// -1, the file position, for what is no position.
int64_t position_of(double value) {
  constexpr double kEnd = 9223372036854775808.0;
  return value >= 0 && value < kEnd ? static_cast<int64_t>(value) : -1;
}

// read(view), and write: the numbers, and the result, are in the TransferCall
template <Operation operation>
napi_value transfer_one(const Arguments<1>& in) {
  TransferCall* call = in.environment->transfer_call();
  const uint32_t flags = call->flags & kCallerFlags;
  char* memory = nullptr;
  if (!memory_of(in.env, in.values[0], static_cast<uint64_t>(call->offset) + call->length, &memory)) {
    call->answer = with_error_later(in.environment, -EFAULT, flags);
    return nullptr;
  }
  const iovec vector = {memory + call->offset, call->length};
  const int32_t result = in.environment->context()->transfer(operation, call->fd, &vector, 1, call->length,
                                                             position_of(call->position), flags);
  call->answer = result >= 0 ? result : with_error_later(in.environment, result, flags);
  return nullptr;
}

// readv(fd, views, position, flags), and writev: one view or more, of which a read takes limits::vectors at
// most
template <Operation operation>
napi_value transfer_many(const Arguments<4>& in) {
  const uint32_t flags = in.flags(3);
  uint32_t count = 0;
  napi_get_array_length(in.env, in.values[1], &count);
  if (count == 0 || (operation == Operation::kRead && count > limits::vectors))
    return answer(in.environment, -EINVAL, flags);
  iovec few[limits::vectors];
  std::vector<iovec> many;  // grows with the views that are there, whatever length the array says it has
  uint64_t total = 0;
  for (uint32_t i = 0; i < count; ++i) {
    napi_value view;
    void* data = nullptr;
    size_t size = 0;
    if (napi_get_element(in.env, in.values[1], i, &view) != napi_ok ||
        napi_get_buffer_info(in.env, view, &data, &size) != napi_ok) {
      return answer(in.environment, -EFAULT, flags);
    }
    if (i == limits::vectors) many.assign(few, few + i);
    if (i < limits::vectors) {
      few[i] = {data, size};
    } else {
      many.push_back({data, size});
    }
    total += size;
  }
  const iovec* vectors = many.empty() ? few : many.data();
  return answer(
      in.environment,
      in.environment->context()->transfer(operation, in.int32(0), vectors, count, total, in.int64(2), flags),
      flags);
}

// sync(fd, dataOnly, flags)
napi_value sync(const Arguments<3>& in) {
  const Operation operation = in.int32(1) != 0 ? Operation::kFdatasync : Operation::kFsync;
  return answer(in.environment, in.environment->context()->control(operation, in.int32(0), 0, in.flags(2)),
                in.flags(2));
}

// truncate(fd, length, flags)
napi_value truncate(const Arguments<3>& in) {
  return answer(in.environment,
                in.environment->context()->control(Operation::kFtruncate, in.int32(0),
                                                   static_cast<uint64_t>(in.int64(1)), in.flags(2)),
                in.flags(2));
}

// open(path, flags, mode, direct, number, requestFlags); direct: 0 as flags say, 1 required, 2 try; number:
// -1, or what the file is to be moved to
napi_value open(const Arguments<6>& in) {
  const Path path(in.env, in.values[0]);
  if (!path.usable()) return number(in.env, kUnsupported);
  auto job = std::make_unique<OpenJob>();
  job->path = path.text();
  job->flags = in.int32(1);
  job->mode = in.uint32(2);
  job->direct = static_cast<DirectMode>(in.int32(3));
  job->number = in.int32(4);
  return answer(in.environment, in.environment->context()->open(job.release(), in.flags(5)), in.flags(5));
}

// close(fd, flags)
napi_value close(const Arguments<2>& in) {
  return answer(in.environment, in.environment->context()->close(in.int32(0), in.flags(1)), in.flags(1));
}

// later(requestFlags, afterImmediates): a request that does nothing, so that what is known already is
// delivered from the event loop like any result: 0 in the next turn, or behind the immediates of this one
napi_value later(const Arguments<2>& in) {
  IoContext* context = in.environment->context();
  const uint32_t flags = in.flags(0);
  return answer(in.environment,
                in.int32(1) != 0 ? context->answer_after_immediates(flags) : context->answer_later(0, flags),
                flags);
}

// onDefaultLoop(): 1 in the main thread
napi_value on_default_loop(const Arguments<0>& in) {
  return number(in.env, in.environment->on_default_loop() ? 1 : 0);
}

// forget(fd): the number was closed or opened by someone else
napi_value forget(const Arguments<1>& in) {
  in.environment->context()->forget(in.int32(0));
  return nullptr;
}

// settleDescriptor(fd): waits until nothing accepted on it is left, for closeSync. False, without waiting:
// its number is being closed for node.
napi_value settle_descriptor(const Arguments<1>& in) {
  IoContext* context = in.environment->context();
  const bool is_open = context->settle_descriptor(in.int32(0));
  // With nothing left to deliver the loop must be free to end: closeSync may run in 'beforeExit'.
  if (context->has_undelivered()) in.environment->touched();
  return boolean(in.env, is_open);
}

// holdWriteBuffer(ring, state): true when both are what they have to be (binding/write_buffers.h)
napi_value hold_write_buffer(const Arguments<2>& in) {
  return boolean(in.env, in.environment->write_buffers().hold(in.env, in.values[0], in.values[1]));
}

// releaseWriteBuffer(state)
napi_value release_write_buffer(const Arguments<1>& in) {
  in.environment->write_buffers().release(in.env, in.values[0]);
  return nullptr;
}

// setHandlers(deliver, results, pending, callbacksInBatches), and where shared memory is: true, or false
// where it was not taken
napi_value set_handlers(const Arguments<4>& in) {
  return boolean(in.env,
                 in.environment->set_handlers(in.values[0], in.values[1], in.values[2], in.int32(3) != 0));
}

template <bool (Environment::*set)(napi_value)>
napi_value set_memory(const Arguments<1>& in) {
  return boolean(in.env, (in.environment->*set)(in.values[0]));
}

// uncaught(error)
napi_value uncaught(const Arguments<1>& in) {
  in.environment->uncaught(in.values[0]);
  return nullptr;
}

void set_number(napi_env env, napi_value object, const char* name, double value) {
  napi_value property;
  napi_create_double(env, value, &property);
  napi_set_named_property(env, object, name, property);
}

void set_string(napi_env env, napi_value object, const char* name, const std::string& value) {
  napi_value property;
  napi_create_string_utf8(env, value.c_str(), value.size(), &property);
  napi_set_named_property(env, object, name, property);
}

void set_failure(napi_env env, napi_value object, const BackendResult& result) {
  set_number(env, object, "errorNumber", result.error_number);
  if (result.error_number == 0) return;
  set_string(env, object, "error", errno_name(result.error_number));
  set_string(env, object, "cause", result.cause);
  set_string(env, object, "fix", result.fix);
}

std::optional<BackendType> backend_type_of(int32_t index) {
  if (index < 0) return std::nullopt;
  return static_cast<BackendType>(index);
}

void set_capabilities(napi_env env, napi_value object, const Capabilities& capabilities) {
  napi_value list, name;
  napi_create_array(env, &list);
  uint32_t count = 0;
  for (size_t i = 0; i < kOperationCount; ++i) {
    const auto operation = static_cast<Operation>(i);
    if (!capabilities.serves(operation)) continue;
    napi_create_string_utf8(env, operation_name(operation), NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, list, count++, name);
  }
  napi_set_named_property(env, object, "operations", list);
  set_number(env, object, "depth", capabilities.depth);
  set_number(env, object, "singleIssuer", capabilities.single_issuer);
  set_number(env, object, "bufferedReads", capabilities.buffered_reads);
}

// start(type): -1 automatic, else BackendType. Returns { errorNumber: 0, name } or what set_failure says.
// Once started it stays so.
napi_value start(const Arguments<1>& in) {
  napi_value object;
  napi_create_object(in.env, &object);
  if (!in.environment->started()) {
    const Choice choice = in.environment->start(backend_type_of(in.int32(0)));
    set_string(in.env, object, "reason", choice.reason);
    set_failure(in.env, object, choice.result);
    if (!in.environment->started() && choice.result.error_number != 0) return object;
  }
  if (!in.environment->started()) {
    set_number(in.env, object, "errorNumber", ENOSYS);
    return object;
  }
  set_number(in.env, object, "errorNumber", 0);
  set_string(in.env, object, "name", backend_type_name(in.environment->context()->backend().type()));
  return object;
}

// describe(): { name, reason, depth, operations, ... } of the started backend, as it is now
napi_value describe(const Arguments<1>& in) {
  napi_value object;
  napi_create_object(in.env, &object);
  if (!in.environment->started()) return object;
  const IoBackend& backend = in.environment->context()->settled_backend();
  set_string(in.env, object, "name", backend_type_name(backend.type()));
  set_string(in.env, object, "reason", backend.reason);
  set_capabilities(in.env, object, backend.capabilities());
  return object;
}

// probe(type): { errorNumber, error, cause, fix }
napi_value probe(const Arguments<1>& in) {
  napi_value object;
  napi_create_object(in.env, &object);
  set_failure(in.env, object, probe_backend(static_cast<BackendType>(in.int32(0))));
  return object;
}

// stats(): [operations, bytes] per lane in Lane order, then in flight, queued, fallbacks, merged,
// mounts barred now, times that one was, and [operations, bytes] per FilesystemKind
napi_value stats(const Arguments<1>& in) {
  napi_value list, value;
  napi_create_array(in.env, &list);
  if (!in.environment->started()) return list;
  IoContext& context = *in.environment->context();
  const Statistics& statistics = context.statistics();
  uint32_t index = 0;
  const auto add = [&](uint64_t figure) {
    napi_create_double(in.env, static_cast<double>(figure), &value);
    napi_set_element(in.env, list, index++, value);
  };
  for (const LaneCounters& lane : statistics.lanes) {
    add(lane.operations);
    add(lane.bytes);
  }
  const uint64_t active = context.active();
  add(active);
  add(context.unsettled() > active ? context.unsettled() - active : 0);
  add(statistics.fallbacks);
  add(statistics.merged);
  add(context.inline_fuse()->barred_mounts());
  add(context.inline_fuse()->times());
  for (const LaneCounters& kind : statistics.kinds) {
    add(kind.operations);
    add(kind.bytes);
  }
  return list;
}

}  // namespace

napi_value define_entry_points(Environment* environment, napi_value exports) {
  const NamedFunction kFunctions[] = {
      {"read", when_started<transfer_one<Operation::kRead>>},
      {"write", when_started<transfer_one<Operation::kWrite>>},
      {"readv", when_started<transfer_many<Operation::kRead>>},
      {"writev", when_started<transfer_many<Operation::kWrite>>},
      {"sync", when_started<sync>},
      {"truncate", when_started<truncate>},
      {"open", when_started<open>},
      {"close", when_started<close>},
      {"later", when_started<later>},
      {"onDefaultLoop", any_time<on_default_loop>},
      {"forget", when_started<forget>},
      {"settleDescriptor", when_started<settle_descriptor>},
      {"holdWriteBuffer", when_started<hold_write_buffer>},
      {"releaseWriteBuffer", when_started<release_write_buffer>},
      {"setHandlers", any_time<set_handlers>},
      {"setTransferCall", any_time<set_memory<&Environment::set_transfer_call>>},
      {"setPathCall", any_time<set_memory<&Environment::set_path_call>>},
      {"setScratch", any_time<set_memory<&Environment::set_scratch>>},
      {"uncaught", any_time<uncaught>},
      {"start", any_time<start>},
      {"describe", any_time<describe>},
      {"probe", any_time<probe>},
      {"stats", any_time<stats>},
      {"alignedBuffer", aligned_buffer},
      {"misalignment", misalignment},
  };
  define_functions(environment, exports, kFunctions);
  define_path_calls(environment, exports);
  define_change_calls(environment, exports);
  define_attribute_calls(environment, exports);
  define_directory_calls(environment, exports);
  define_stream_calls(environment, exports);
  define_in_flight_calls(environment, exports);
#ifdef IOENGINE_FAULT_POINTS
  define_fault_calls(environment->env(), exports);
#endif
  return exports;
}

}  // namespace ioengine
