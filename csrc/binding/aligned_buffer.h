// Buffers on aligned, recycled memory.
#pragma once

#include <node_api.h>

namespace ioengine {

// alignedBuffer(size): a Buffer on a block of memory/aligned_block.h, content undefined, or undefined where
// the runtime refuses external memory or there is none left.
napi_value aligned_buffer(napi_env env, napi_callback_info info);

// misalignment(view): how many bytes the view starts after a multiple of 4,096.
napi_value misalignment(napi_env env, napi_callback_info info);

}  // namespace ioengine
