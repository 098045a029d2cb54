// A path that JavaScript hands over.
#pragma once

#include <node_api.h>

#include <cstring>

#include "backend/request.h"

namespace ioengine {

// The path as the kernel takes it. Its length is limited by PATH_MAX (4,096 bytes); a longer one, and one
// with a NUL in it, is node's to judge.
class Path {
 public:
  Path(napi_env env, napi_value value) {
    if (napi_get_value_string_utf8(env, value, text_, sizeof(text_), &size_) != napi_ok)
      read_bytes(env, value);
    // What does not fit is cut, in front of a character of up to four bytes.
    usable_ = size_ < sizeof(text_) - 4 && std::memchr(text_, 0, size_) == nullptr;
    if (usable_) text_[size_] = 0;
  }
  bool usable() const { return usable_; }
  const char* text() const { return text_; }

 private:
  void read_bytes(napi_env env, napi_value value) {
    void* data = nullptr;
    size_ = sizeof(text_);
    size_t size = 0;
    if (napi_get_buffer_info(env, value, &data, &size) != napi_ok || size >= sizeof(text_)) return;
    size_ = size;
    if (size > 0) std::memcpy(text_, data, size);  // an empty buffer may have no memory
  }
  char text_[4096 + 8];
  size_t size_ = 0;
  bool usable_ = false;
};

enum PathFlag : int32_t { kPathCallback = 1, kPathBigInt = 2, kPathNoFollow = 4 };  // src/native/addon.ts

inline uint32_t request_flags(int32_t flags) { return (flags & kPathCallback) != 0 ? kFlagCallback : 0u; }

}  // namespace ioengine
