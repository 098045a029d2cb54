// What read streams ask about their file, each a system call that is answered from memory.
#pragma once

#include <node_api.h>

namespace ioengine {

class Environment;

void define_stream_calls(Environment* environment, napi_value exports);

}  // namespace ioengine
