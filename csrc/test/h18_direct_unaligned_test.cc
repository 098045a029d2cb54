// H18: O_DIRECT with any offset, length and memory, on every real backend, against what plain calls on a
// buffered descriptor of the same file see.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/limits.h"
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

constexpr uint64_t kFileSize = 5000;

std::string path() { return temporary_folder() + "/direct"; }

// A buffered look at the file, with new content.
int fresh_file(uint64_t size, uint64_t tag) {
  const int view = open(path().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(view >= 0);
  std::vector<uint8_t> content(size);
  for (uint64_t i = 0; i < size; ++i) content[i] = pattern(tag, i);
  CHECK_EQ(pwrite(view, content.data(), size, 0), static_cast<ssize_t>(size));
  CHECK(fsync(view) == 0);
  return view;
}

void check_file(int view, uint64_t size, uint64_t tag, uint64_t changed_at, uint64_t changed_bytes,
                uint64_t changed_tag) {
  struct stat status;
  CHECK(fstat(view, &status) == 0);
  CHECK_EQ(static_cast<uint64_t>(status.st_size), size);
  std::vector<uint8_t> content(size);
  CHECK_EQ(pread(view, content.data(), size, 0), static_cast<ssize_t>(size));
  for (uint64_t i = 0; i < size; ++i) {
    const bool changed = i >= changed_at && i < changed_at + changed_bytes;
    const uint8_t expected = changed         ? pattern(changed_tag, i - changed_at)
                             : i < kFileSize ? pattern(tag, i)
                                             : 0;
    CHECK_EQ(content[i], expected);
  }
}

struct Shape {
  uint64_t offset;
  uint64_t bytes;
  size_t misalignment;
};

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (uint64_t offset : {0u, 1u, 511u, 512u, 4095u, 4096u, 4097u, 4999u, 5000u, 8192u}) {
    for (uint64_t bytes : {1u, 511u, 512u, 904u, 4096u, 5000u, 8192u}) {
      for (size_t misalignment : {size_t{0}, size_t{1}, size_t{512}})
        all.push_back({offset, bytes, misalignment});
    }
  }
  return all;
}

void reads(Engine* engine, int fd) {
  for (const Shape& shape : shapes()) {
    set_context("read of " + std::to_string(shape.bytes) + " at " + std::to_string(shape.offset) +
                ", memory at " + std::to_string(shape.misalignment));
    GuardedBuffer buffer(shape.bytes, shape.misalignment);
    const auto ticket = engine->read(fd, buffer.data(), shape.bytes, static_cast<int64_t>(shape.offset));
    engine->until_settled(ticket);
    const uint64_t expected =
        shape.offset >= kFileSize ? 0 : std::min<uint64_t>(shape.bytes, kFileSize - shape.offset);
    CHECK_EQ(ticket->result, static_cast<int32_t>(expected));
    for (uint64_t i = 0; i < expected; ++i) CHECK_EQ(buffer.data()[i], pattern(1, shape.offset + i));
    // An aligned read past the end goes straight into the caller's memory, which the device may fill up to
    // its block; unaligned ones touch what they return.
    buffer.check_canaries();
  }
}

void reads_at_the_file_position(Engine* engine, int fd) {
  set_context("reads at the file position");
  const uint64_t sizes[] = {100, 412, 512, 3000, 976, 10};
  uint64_t at = 0;
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  std::vector<std::shared_ptr<Ticket>> tickets;
  std::vector<std::unique_ptr<GuardedBuffer>> buffers;
  for (uint64_t size : sizes) {
    buffers.push_back(std::make_unique<GuardedBuffer>(size, 3));
    tickets.push_back(engine->read(fd, buffers.back()->data(), size, -1));
  }
  engine->until_idle();
  for (size_t i = 0; i < 6; ++i) {
    const uint64_t expected = std::min(sizes[i], kFileSize - at);
    CHECK_EQ(tickets[i]->result, static_cast<int32_t>(expected));
    for (uint64_t k = 0; k < expected; ++k) CHECK_EQ(buffers[i]->data()[k], pattern(1, at + k));
    at += expected;
  }
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), static_cast<off_t>(kFileSize));
}

void writes(Engine* engine) {
  for (const Shape& shape : shapes()) {
    if (shape.misalignment == 512) continue;
    set_context("write of " + std::to_string(shape.bytes) + " at " + std::to_string(shape.offset) +
                ", memory at " + std::to_string(shape.misalignment));
    const int view = fresh_file(kFileSize, 1);
    const int fd = engine->open(path(), O_RDWR | O_DIRECT);
    CHECK(fd >= 0);
    GuardedBuffer buffer(shape.bytes, shape.misalignment);
    buffer.fill(2);
    const auto ticket = engine->write(fd, buffer.data(), shape.bytes, static_cast<int64_t>(shape.offset));
    engine->until_settled(ticket);
    CHECK_EQ(ticket->result, static_cast<int32_t>(shape.bytes));
    CHECK((fcntl(fd, F_GETFL) & O_DIRECT) != 0);  // back again
    // To its exact length: no padding stays behind.
    check_file(view, std::max(kFileSize, shape.offset + shape.bytes), 1, shape.offset, shape.bytes, 2);
    engine->until_settled(engine->close(fd));
    close(view);
  }
}

// Larger than one bounce block, unaligned at both ends.
void a_large_bounce(Engine* engine) {
  set_context("10 MB through bounce blocks");
  const uint64_t size = 10 * 1000 * 1000;
  const int view = fresh_file(size, 3);
  const int fd = engine->open(path(), O_RDWR | O_DIRECT);
  GuardedBuffer buffer(size - 200, 5);
  const auto ticket = engine->read(fd, buffer.data(), buffer.size(), 100);
  engine->until_settled(ticket);
  CHECK_EQ(ticket->result, static_cast<int32_t>(size - 200));
  for (uint64_t i = 0; i < buffer.size(); ++i) CHECK_EQ(buffer.data()[i], pattern(3, 100 + i));
  engine->until_settled(engine->close(fd));
  close(view);
}

}  // namespace

int main() {
  const int probe = open(path().c_str(), O_RDWR | O_CREAT | O_DIRECT, 0600);
  if (probe == -1) return skipped("the folder for temporary files takes no O_DIRECT");
  close(probe);
  for (BackendType type : {BackendType::kUring, BackendType::kAio, BackendType::kThreads}) {
    Engine engine(type, limits::depth);
    if (!engine.ok()) {
      std::printf("%s\n", engine.reason().c_str());
      continue;
    }
    const int view = fresh_file(kFileSize, 1);
    const int fd = engine.open(path(), O_RDONLY | O_DIRECT);
    reads(&engine, fd);
    reads_at_the_file_position(&engine, fd);
    engine.until_settled(engine.close(fd));
    close(view);
    writes(&engine);
    a_large_bounce(&engine);
  }
  return 0;
}
