// The functions that JavaScript calls. Arguments have been validated in src/; plain values go in, one number
// comes out (scheduler/context.h says what it means). The N-API C interface is used directly: these run once
// per operation.

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "binding/aligned_buffer.h"
#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/path_calls.h"
#include "binding/stream_calls.h"

namespace ioengine {
namespace {

// The memory of `view`, if it holds at least `end` bytes. JavaScript has checked this; a buffer that shrank
// in between must not become a stray write of the kernel.
bool memory_of(napi_env env, napi_value view, uint64_t end, char** memory) {
  void* data = nullptr;
  size_t size = 0;
  // Quicker than asking for a buffer. The size is in elements, so larger elements may need the second
  // question.
  if (napi_get_typedarray_info(env, view, nullptr, &size, &data, nullptr, nullptr) != napi_ok || end > size) {
    if (napi_get_buffer_info(env, view, &data, &size) != napi_ok || end > size) return false;
  }
  *memory = static_cast<char*>(data);
  return true;
}

// read(view), and write: the numbers, and the answer, are in the TransferCall
template <Operation operation>
napi_value transfer_one(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  TransferCall* call = in.environment->transfer_call();
  char* memory = nullptr;
  if (!memory_of(env, in.values[0], static_cast<uint64_t>(call->offset) + call->length, &memory)) {
    call->answer = with_error_later(in.environment, -EFAULT, call->flags);
    return nullptr;
  }
  const iovec vector = {memory + call->offset, call->length};
  const int32_t result = in.environment->context()->transfer(
      operation, call->fd, &vector, 1, call->length, static_cast<int64_t>(call->position), call->flags);
  call->answer = result >= 0 ? result : with_error_later(in.environment, result, call->flags);
  return nullptr;
}

// setTransferCall(arrayBuffer): once, before the first read or write
napi_value set_transfer_call(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  IOE_CHECK(in.environment->set_transfer_call(in.values[0]));
  return nullptr;
}

// readv(fd, views, position, flags), and writev: one view or more, of which a read takes limits::vectors at
// most
template <Operation operation>
napi_value transfer_many(napi_env env, napi_callback_info info) {
  Arguments<4> in(env, info);
  uint32_t count = 0;
  napi_get_array_length(env, in.values[1], &count);
  IOE_CHECK(count >= 1 && (operation == Operation::kWrite || count <= limits::vectors));
  iovec few[limits::vectors];
  std::vector<iovec> many;
  if (count > limits::vectors) many.resize(count);
  iovec* vectors = many.empty() ? few : many.data();
  uint64_t total = 0;
  for (uint32_t i = 0; i < count; ++i) {
    napi_value view;
    void* data = nullptr;
    size_t size = 0;
    if (napi_get_element(env, in.values[1], i, &view) != napi_ok ||
        napi_get_buffer_info(env, view, &data, &size) != napi_ok) {
      return answer(in.environment, -EFAULT, in.uint32(3));
    }
    vectors[i] = {data, size};
    total += size;
  }
  const uint32_t flags = in.uint32(3);
  return answer(
      in.environment,
      in.environment->context()->transfer(operation, in.int32(0), vectors, count, total, in.int64(2), flags),
      flags);
}

// sync(fd, dataOnly, flags)
napi_value sync(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  const Operation operation = in.int32(1) != 0 ? Operation::kFdatasync : Operation::kFsync;
  return answer(in.environment,
                in.environment->context()->control(operation, in.int32(0), 0, 0, 0, in.uint32(2)),
                in.uint32(2));
}

// truncate(fd, length, flags)
napi_value truncate(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  return answer(in.environment,
                in.environment->context()->control(Operation::kFtruncate, in.int32(0),
                                                   static_cast<uint64_t>(in.int64(1)), 0, 0, in.uint32(2)),
                in.uint32(2));
}

// allocate(fd, mode, offset, length, flags): fallocate(2)
napi_value allocate(napi_env env, napi_callback_info info) {
  Arguments<5> in(env, info);
  return answer(in.environment,
                in.environment->context()->control(
                    Operation::kFallocate, in.int32(0), static_cast<uint64_t>(in.int64(2)),
                    static_cast<uint64_t>(in.int64(3)), in.int32(1), in.uint32(4)),
                in.uint32(4));
}

bool read_path(napi_env env, napi_value value, std::string* path) {
  void* data = nullptr;
  size_t size = 0;
  bool is_buffer = false;
  napi_is_buffer(env, value, &is_buffer);
  if (is_buffer) {
    if (napi_get_buffer_info(env, value, &data, &size) != napi_ok) return false;
    path->assign(static_cast<const char*>(data), size);
    return true;
  }
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &size) != napi_ok) return false;
  path->resize(size);
  return napi_get_value_string_utf8(env, value, &(*path)[0], size + 1, &size) == napi_ok;
}

// open(path, flags, mode, direct, requestFlags); direct: 0 as flags say, 1 required, 2 try
napi_value open(napi_env env, napi_callback_info info) {
  Arguments<5> in(env, info);
  auto job = std::make_unique<OpenJob>();
  if (!read_path(env, in.values[0], &job->path)) return answer(in.environment, -EINVAL, in.uint32(4));
  job->flags = in.int32(1);
  job->mode = in.uint32(2);
  job->direct = static_cast<DirectMode>(in.int32(3));
  return answer(in.environment, in.environment->context()->open(job.release(), in.uint32(4)), in.uint32(4));
}

// close(fd, flags)
napi_value close(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  return answer(in.environment, in.environment->context()->close(in.int32(0), in.uint32(1)), in.uint32(1));
}

// later(requestFlags, afterImmediates): a request that does nothing, so that what is known already is
// delivered from the event loop like any result: 0 in the next turn, or behind the immediates of this one
napi_value later(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  IoContext* context = in.environment->context();
  const uint32_t flags = in.uint32(0);
  return answer(in.environment,
                in.int32(1) != 0 ? context->answer_after_immediates(flags) : context->answer_later(0, flags),
                flags);
}

// pathsChangeElsewhere(): node:fs has been given an operation that changes paths
napi_value paths_change_elsewhere(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  if (in.environment->started()) in.environment->context()->paths_change_elsewhere();
  return nullptr;
}

// forget(fd): the number was closed or opened by someone else
napi_value forget(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  if (in.environment->started()) in.environment->context()->forget(in.int32(0));
  return nullptr;
}

// settleDescriptor(fd): waits until nothing accepted on it is left; for closeSync
napi_value settle_descriptor(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  if (!in.environment->started()) return nullptr;
  IoContext* context = in.environment->context();
  context->settle_descriptor(in.int32(0));
  // With nothing left to deliver the loop must be free to end: closeSync may run in 'beforeExit'.
  if (context->has_undelivered()) in.environment->touched();
  return nullptr;
}

// holdWriteBuffer(ring, state): true when both are what they have to be (binding/write_buffers.h)
napi_value hold_write_buffer(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  napi_value held;
  napi_get_boolean(env, in.environment->write_buffers().hold(env, in.values[0], in.values[1]), &held);
  return held;
}

// releaseWriteBuffer(state)
napi_value release_write_buffer(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  in.environment->write_buffers().release(env, in.values[0]);
  return nullptr;
}

// setHandlers(deliver, results, pending, callbacksInBatches)
napi_value set_handlers(napi_env env, napi_callback_info info) {
  Arguments<4> in(env, info);
  in.environment->set_handlers(in.values[0], in.values[1], in.values[2], in.int32(3) != 0);
  return nullptr;
}

// uncaught(error)
napi_value uncaught(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
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
  set_string(env, object, "error", strerrorname_np(result.error_number));
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

// start(type): -1 automatic, else BackendType. Returns { name, reason, depth, operations, ... } or {
// errorNumber, ... }. Once started it stays so.
napi_value start(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  napi_value object;
  napi_create_object(env, &object);
  if (!in.environment->started()) {
    const Choice choice = in.environment->start(backend_type_of(in.int32(0)));
    set_string(env, object, "reason", choice.reason);
    set_failure(env, object, choice.result);
    if (!in.environment->started() && choice.result.error_number != 0) return object;
  }
  if (!in.environment->started()) {
    set_number(env, object, "errorNumber", ENOSYS);
    return object;
  }
  const IoBackend& backend = in.environment->context()->backend();
  set_number(env, object, "errorNumber", 0);
  set_string(env, object, "name", backend_type_name(backend.type()));
  set_capabilities(env, object, backend.capabilities());
  return object;
}

// probe(type): { errorNumber, error, cause, fix }
napi_value probe(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  napi_value object;
  napi_create_object(env, &object);
  set_failure(env, object, probe_backend(static_cast<BackendType>(in.int32(0))));
  return object;
}

// stats(): [operations, bytes] per lane in Lane order, then in flight, queued, fallbacks, merged,
// mounts barred now, times that one was
napi_value stats(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  napi_value list, value;
  napi_create_array(env, &list);
  if (!in.environment->started()) return list;
  IoContext& context = *in.environment->context();
  const Statistics& statistics = context.statistics();
  uint32_t index = 0;
  const auto add = [&](uint64_t figure) {
    napi_create_double(env, static_cast<double>(figure), &value);
    napi_set_element(env, list, index++, value);
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
  return list;
}

}  // namespace

napi_value define_entry_points(Environment* environment, napi_value exports) {
  const NamedFunction kFunctions[] = {
      {"read", transfer_one<Operation::kRead>},
      {"write", transfer_one<Operation::kWrite>},
      {"readv", transfer_many<Operation::kRead>},
      {"writev", transfer_many<Operation::kWrite>},
      {"sync", sync},
      {"truncate", truncate},
      {"allocate", allocate},
      {"open", open},
      {"close", close},
      {"later", later},
      {"pathsChangeElsewhere", paths_change_elsewhere},
      {"forget", forget},
      {"settleDescriptor", settle_descriptor},
      {"holdWriteBuffer", hold_write_buffer},
      {"releaseWriteBuffer", release_write_buffer},
      {"setHandlers", set_handlers},
      {"setTransferCall", set_transfer_call},
      {"uncaught", uncaught},
      {"start", start},
      {"probe", probe},
      {"stats", stats},
      {"alignedBuffer", aligned_buffer},
      {"misalignment", misalignment},
  };
  define_functions(environment, exports, kFunctions);
  define_path_calls(environment, exports);
  define_change_calls(environment, exports);
  define_stream_calls(environment, exports);
  return exports;
}

}  // namespace ioengine
