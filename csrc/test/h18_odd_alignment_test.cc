// H18: offsets that a device takes in units that are no power of two, or larger than a bounce block: extents
// of XFS realtime files. On the mock, which refuses what does not suit.
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

constexpr uint64_t kSize = 20 * 1000 * 1000;

void unaligned_reads(Engine* engine, int fd) {
  for (uint64_t offset : {uint64_t{0}, uint64_t{100}, uint64_t{4095}, uint64_t{9000001}}) {
    GuardedBuffer buffer(10 * 1000 * 1000, 5);
    const auto ticket = engine->read(fd, buffer.data(), buffer.size(), static_cast<int64_t>(offset));
    engine->until_settled(ticket);
    CHECK_EQ(ticket->result, static_cast<int32_t>(buffer.size()));
    for (uint64_t i = 0; i < buffer.size(); ++i) CHECK_EQ(buffer.data()[i], pattern(1, offset + i));
    buffer.check_canaries();
  }
}

// Offset and length suit the device, the memory does not.
void writes_from_unaligned_memory(Engine* engine, int fd, uint64_t alignment) {
  const uint64_t bytes = kSize / 2 / alignment * alignment;
  GuardedBuffer buffer(bytes, 7);
  buffer.fill(2);
  const auto ticket = engine->write(fd, buffer.data(), bytes, static_cast<int64_t>(alignment));
  engine->until_settled(ticket);
  CHECK_EQ(ticket->result, static_cast<int32_t>(bytes));
  const uint8_t* disk = engine->disk().bytes(fd);
  for (uint64_t i = 0; i < bytes; ++i) CHECK_EQ(disk[alignment + i], pattern(2, i));
  CHECK_EQ(disk[alignment - 1], pattern(1, alignment - 1));
  CHECK_EQ(disk[alignment + bytes], pattern(1, alignment + bytes));
}

}  // namespace

int main() {
  for (uint32_t alignment : {512u, 12288u, 28672u, 3u << 20, 8u << 20}) {
    set_context("alignment " + std::to_string(alignment));
    Engine engine{MockOptions()};
    const int fd = engine.create(kSize, kSize + (16u << 20), alignment);
    for (uint64_t i = 0; i < kSize; ++i) engine.disk().bytes(fd)[i] = pattern(1, i);
    unaligned_reads(&engine, fd);
    writes_from_unaligned_memory(&engine, fd, alignment);
    engine.until_settled(engine.close(fd));
  }
  return 0;
}
