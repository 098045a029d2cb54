// The disk of the mock backend: files in memory (memfd), reached by descriptor number at the moment an
// operation runs, as a kernel worker does (H3). The bytes that the mock moves are the bytes that plain system
// calls on the same descriptor see, so a request may be served partly here and partly by the pool.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <map>

#include "jobs/file_facts.h"

namespace ioengine {

class MockDisk {
 public:
  MockDisk() = default;
  ~MockDisk();
  MockDisk(const MockDisk&) = delete;
  MockDisk& operator=(const MockDisk&) = delete;

  // A new file of `size` zero bytes that may grow to `size_max`. The caller, or the engine, closes the
  // descriptor.
  int create(uint64_t size, uint64_t size_max);

  // Facts under which the scheduler sends reads and writes to the backend rather than to another lane.
  // `alignment` > 1 makes it an O_DIRECT file.
  FileFacts facts(int fd, uint32_t alignment = 1) const;

  // The file's bytes as the backend sees them; `size_max` of them are mapped. Null for an unknown number.
  uint8_t* bytes(int fd) const;
  uint64_t size(int fd) const;

  // At most `limit` bytes. Return bytes or -errno.
  int32_t read(int fd, const iovec* vectors, uint32_t count, uint64_t offset, uint64_t limit) const;
  int32_t write(int fd, const iovec* vectors, uint32_t count, uint64_t offset, uint64_t limit) const;

 private:
  struct File {
    uint8_t* memory;
    uint64_t size_max;
  };
  std::map<int, File> files_;
};

}  // namespace ioengine
