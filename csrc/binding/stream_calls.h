// What read streams have to know of their file: system calls that never wait for a device.
#pragma once

#include <node_api.h>

namespace ioengine {

class Environment;

void define_stream_calls(Environment* environment, napi_value exports);

}  // namespace ioengine
