#include "binding/write_buffers.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "base/eintr.h"

namespace ioengine {
namespace {

// O_DIRECT would want whole blocks at aligned positions.
void write_all(int fd, bool at_position, uint64_t position, iovec* vectors, int count) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags != -1 && (flags & O_DIRECT) != 0) fcntl(fd, F_SETFL, flags & ~O_DIRECT);
  while (count > 0) {
    const int32_t status = without_eintr([&] {
      return at_position ? pwritev(fd, vectors, count, static_cast<off_t>(position))
                         : writev(fd, vectors, count);
    });
    if (status <= 0) return;
    position += static_cast<uint64_t>(status);
    size_t left = static_cast<size_t>(status);
    while (count > 0 && left >= vectors->iov_len) {
      left -= vectors->iov_len;
      ++vectors;
      --count;
    }
    if (count > 0) *vectors = {static_cast<char*>(vectors->iov_base) + left, vectors->iov_len - left};
  }
}

}  // namespace

bool WriteBuffers::hold(napi_env env, napi_value ring, napi_value state) {
  Held held = {};
  void* memory = nullptr;
  if (napi_get_buffer_info(env, ring, &memory, &held.size) != napi_ok || held.size == 0) return false;
  held.ring = static_cast<const char*>(memory);
  size_t size = 0;
  if (napi_get_arraybuffer_info(env, state, &memory, &size) != napi_ok || size < sizeof(WriteBufferState))
    return false;
  held.state = static_cast<WriteBufferState*>(memory);
  if (napi_create_reference(env, ring, 1, &held.ring_reference) != napi_ok) return false;
  if (napi_create_reference(env, state, 1, &held.state_reference) != napi_ok) return false;
  held_.push_back(held);
  return true;
}

void WriteBuffers::release(napi_env env, napi_value state) {
  void* memory = nullptr;
  size_t size = 0;
  if (napi_get_arraybuffer_info(env, state, &memory, &size) != napi_ok) return;
  const auto found =
      std::find_if(held_.begin(), held_.end(), [memory](const Held& held) { return held.state == memory; });
  if (found == held_.end()) return;
  napi_delete_reference(env, found->ring_reference);
  napi_delete_reference(env, found->state_reference);
  held_.erase(found);
}

void WriteBuffers::write_rest(const IoContext& context) {
  for (const Held& held : held_) {
    const WriteBufferState& state = *held.state;
    const auto from = static_cast<uint64_t>(state.sent);
    const auto taken = static_cast<uint64_t>(state.taken);
    const int fd = static_cast<int>(state.fd);
    // Behind a gap nothing is written: the file stays a prefix.
    if (taken <= from || taken - from > held.size || !context.writes_reach(fd)) continue;
    const size_t at = (from + static_cast<uint64_t>(state.shift)) % held.size;
    const size_t first = std::min<uint64_t>(taken - from, held.size - at);
    char* ring = const_cast<char*>(held.ring);
    iovec vectors[2] = {{ring + at, first}, {ring, taken - from - first}};
    const bool at_position = state.start >= 0;
    const uint64_t position = at_position ? static_cast<uint64_t>(state.start) + from : 0;
    write_all(fd, at_position, position, vectors, vectors[1].iov_len > 0 ? 2 : 1);
  }
  held_.clear();
}

}  // namespace ioengine
