// Arguments and return values of the functions that JavaScript calls. The N-API C interface is used directly:
// these run once per operation.
#pragma once

#include <node_api.h>

#include <string>

#include "binding/environment.h"
#include "jobs/path_job.h"
#include "jobs/result_codes.h"

namespace ioengine {

template <size_t N>
struct Arguments {
  Arguments(napi_env env, napi_callback_info info) : env(env) {
    size_t count = N;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, values, nullptr, &data);
    environment = static_cast<Environment*>(data);
  }
  int32_t int32(size_t index) const {
    int32_t value = 0;
    napi_get_value_int32(env, values[index], &value);
    return value;
  }
  // ToInt32 and ToUint32 agree modulo 2^32, and N-API is quicker with the former.
  uint32_t uint32(size_t index) const { return static_cast<uint32_t>(int32(index)); }
  int64_t int64(size_t index) const {
    int64_t value = 0;
    napi_get_value_int64(env, values[index], &value);
    return value;
  }
  double real(size_t index) const {
    double value = 0;
    napi_get_value_double(env, values[index], &value);
    return value;
  }
  // Of a request. Those of the engine's own are not the caller's to set.
  uint32_t flags(size_t index) const { return uint32(index) & kCallerFlags; }
  napi_env env;
  Environment* environment;
  napi_value values[N];
};

inline napi_value number(napi_env env, int32_t value) {
  napi_value result;
  napi_create_int32(env, value, &result);
  return result;
}

inline napi_value string(napi_env env, const std::string& value) {
  napi_value result;
  return napi_create_string_utf8(env, value.data(), value.size(), &result) == napi_ok ? result : nullptr;
}

inline napi_value boolean(napi_env env, bool value) {
  napi_value result;
  napi_get_boolean(env, value, &result);
  return result;
}

// How JavaScript gets into a function that takes Arguments. `any_time` works without an engine.
// `when_started` is the one guard of all others: without an engine, and without a way back into JavaScript
// for what it accepts, node:fs has to serve the call.
template <auto function>
struct ArgumentsOf;
template <size_t N, napi_value (*function)(const Arguments<N>&)>
struct ArgumentsOf<function> {
  using Type = Arguments<N>;
};

template <auto function>
napi_value any_time(napi_env env, napi_callback_info info) {
  return function(typename ArgumentsOf<function>::Type(env, info));
}

template <auto function>
napi_value when_started(napi_env env, napi_callback_info info) {
  const typename ArgumentsOf<function>::Type in(env, info);
  return in.environment->is_ready() ? function(in) : number(env, kUnsupported);
}

// The job of the request in the slot that is the first argument, which is being delivered. Null where there
// is none, and where its job is another.
template <typename Job, size_t N>
Job* delivered_job(const Arguments<N>& in) {
  return dynamic_cast<Job*>(in.environment->context()->job_of(in.uint32(0)));
}

struct NamedFunction {
  const char* name;
  napi_callback function;
};

template <size_t N>
void define_functions(Environment* environment, napi_value exports, const NamedFunction (&functions)[N]) {
  napi_env env = environment->env();
  for (const auto& entry : functions) {
    napi_value function;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.function, environment, &function);
    napi_set_named_property(env, exports, entry.name, function);
  }
}

// What an accepting call returns. An error that is known at once is delivered like any other, so JavaScript
// gets a result at or above 0, kUnsupported, or a slot.
inline int32_t with_error_later(Environment* environment, int32_t value, uint32_t request_flags) {
  if (is_errno(value)) value = environment->context()->answer_later(value, request_flags);
  if (value <= kAcceptedBase) environment->touched();
  return value;
}

inline napi_value answer(Environment* environment, int32_t value, uint32_t request_flags) {
  return number(environment->env(), with_error_later(environment, value, request_flags));
}

}  // namespace ioengine
