// What is in flight, as JavaScript shows it.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/path_calls.h"

namespace ioengine {
namespace {

constexpr double kNsPerMs = 1e6;

// No call is older than the largest of these, which is 292 years.
uint64_t in_ns(double ms) {
  return static_cast<uint64_t>(std::min(ms * kNsPerMs, static_cast<double>(INT64_MAX)));
}

// An array for each call: function, path, target, fd or -1, mount, FilesystemKind, Lane, age in milliseconds.
napi_value list_of(napi_env env, const std::vector<CallInFlight>& calls) {
  napi_value list;
  napi_create_array_with_length(env, calls.size(), &list);
  uint32_t index = 0;
  for (const CallInFlight& call : calls) {
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    napi_value entry, age;
    napi_create_double(env, static_cast<double>(call.age_ns) / kNsPerMs, &age);
    const napi_value fields[] = {
        string(env, call.function),
        string(env, call.path),
        string(env, call.target),
        number(env, call.fd),
        string(env, call.mount),
        number(env, static_cast<int32_t>(call.kind)),
        number(env, static_cast<int32_t>(call.lane)),
        age,
    };
    napi_create_array_with_length(env, std::size(fields), &entry);
    for (uint32_t i = 0; i < std::size(fields); ++i) napi_set_element(env, entry, i, fields[i]);
    napi_set_element(env, list, index++, entry);
    napi_close_handle_scope(env, scope);
  }
  return list;
}

// inFlight(olderThanMs)
napi_value in_flight(const Arguments<1>& in) {
  std::vector<CallInFlight> calls;
  if (in.environment->started()) calls = in.environment->context()->calls_in_flight(in_ns(in.real(0)));
  return list_of(in.env, calls);
}

// slowCalls(olderThanMs): those that it has not named before
napi_value slow_calls(const Arguments<1>& in) {
  std::vector<CallInFlight> calls;
  if (in.environment->started()) calls = in.environment->context()->slow_calls(in_ns(in.real(0)));
  return list_of(in.env, calls);
}

// oldestCall(): milliseconds of the oldest that slowCalls() has not named, 0 where there is none
napi_value oldest_call(const Arguments<0>& in) {
  const uint64_t age = in.environment->started() ? in.environment->context()->oldest_call_ns() : 0;
  napi_value value;
  napi_create_double(in.env, static_cast<double>(age) / kNsPerMs, &value);
  return value;
}

}  // namespace

void define_in_flight_calls(Environment* environment, napi_value exports) {
  const NamedFunction kFunctions[] = {
      {"inFlight", any_time<in_flight>},
      {"slowCalls", any_time<slow_calls>},
      {"oldestCall", any_time<oldest_call>},
  };
  define_functions(environment, exports, kFunctions);
}

}  // namespace ioengine
