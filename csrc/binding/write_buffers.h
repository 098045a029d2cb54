// The write buffers of streams (src/streams/write-buffer.ts): bytes that a program may believe written,
// because it has called write(), and that the engine has not got yet. They are in JavaScript's memory; when
// the thread or the process ends and no JavaScript can run any more, they are written from here.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <vector>

#include "scheduler/context.h"

namespace ioengine {

// Shared with JavaScript (src/native/addon.ts). Bytes are counted from the first one that the buffer has
// taken; byte n is in the ring at (n + shift) % its size.
struct WriteBufferState {
  double fd;
  double start;  // position in the file of byte 0; -1: the file position
  double shift;
  double sent;   // so many were handed to the engine
  double taken;  // so many are in the ring or have been
};

class WriteBuffers {
 public:
  // Both stay referenced until release(). False: these are no ring and no state.
  bool hold(napi_env env, napi_value ring, napi_value state);
  void release(napi_env env, napi_value state);

  // Writes what the engine has not got yet, after what it has: to be called when all of that has settled.
  // Waits for the device.
  void write_rest(const IoContext& context);

 private:
  struct Held {
    const char* ring;
    size_t size;
    WriteBufferState* state;
    napi_ref ring_reference;
    napi_ref state_reference;
  };
  std::vector<Held> held_;
};

}  // namespace ioengine
