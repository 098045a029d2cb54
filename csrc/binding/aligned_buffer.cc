#include "binding/aligned_buffer.h"

#include <cstdint>

#include "memory/aligned_block.h"

namespace ioengine {
namespace {

// Runs when the Buffer is collected, or earlier at the end of its thread (H8): it only drops this holder. A
// request in flight is a holder of its own.
void let_go(napi_env, void*, void* block) { static_cast<AlignedBlock*>(block)->release(); }

}  // namespace

napi_value aligned_buffer(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  uint32_t size = 0;
  napi_get_value_uint32(env, argument, &size);
  AlignedBlock* block = AlignedBlock::allocate(size);
  if (block == nullptr) return nullptr;
  napi_value buffer;
  if (napi_create_external_buffer(env, size, block->data(), let_go, block, &buffer) != napi_ok) {
    block->release();
    return nullptr;
  }
  return buffer;
}

napi_value misalignment(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value view, result;
  napi_get_cb_info(env, info, &count, &view, nullptr, nullptr);
  void* data = nullptr;
  size_t size = 0;
  if (napi_get_buffer_info(env, view, &data, &size) != napi_ok) return nullptr;
  const auto address = reinterpret_cast<uintptr_t>(data);
  napi_create_uint32(env, static_cast<uint32_t>(address % AlignedBlock::kAlignment), &result);
  return result;
}

}  // namespace ioengine
