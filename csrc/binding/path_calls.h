// Calls on paths and attributes. What they find goes into memory shared with JavaScript.
#pragma once

#include <node_api.h>

#include <cstdint>

namespace ioengine {

class Environment;

// Written by the addon before it returns (src/native/addon.ts): numbers for fs.Stats, whole ones for
// fs.BigIntStats.
struct PathCall {
  static constexpr uint32_t kNumbers =
      18;  // as libuv has them: ten fields, then seconds and nanoseconds of four times
  double numbers[kNumbers];
  int64_t integers[kNumbers];
};

void define_path_calls(Environment* environment, napi_value exports);
// Those that go to the pool always (change_calls.cc).
void define_change_calls(Environment* environment, napi_value exports);
void define_attribute_calls(Environment* environment, napi_value exports);
void define_directory_calls(Environment* environment, napi_value exports);
// No calls: what is in flight.
void define_in_flight_calls(Environment* environment, napi_value exports);

}  // namespace ioengine
