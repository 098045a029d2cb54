#include "backend/mock/mock_disk.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace ioengine {

MockDisk::~MockDisk() {
  for (auto& entry : files_) munmap(entry.second.memory, entry.second.size_max);
}

int MockDisk::create(uint64_t size, uint64_t size_max) {
  const int fd = memfd_create("ioengine-mock", MFD_CLOEXEC);
  IOE_CHECK(fd >= 0 && size <= size_max && ftruncate(fd, static_cast<off_t>(size)) == 0);
  void* memory = mmap(nullptr, size_max, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  IOE_CHECK(memory != MAP_FAILED);
  const auto previous = files_.find(fd);  // the number was closed and comes back for this file
  if (previous != files_.end()) munmap(previous->second.memory, previous->second.size_max);
  files_[fd] = {static_cast<uint8_t*>(memory), size_max};
  return fd;
}

FileFacts MockDisk::facts(int fd, uint32_t alignment) const {
  FileFacts facts;
  IOE_CHECK(read_file_facts(fd, &facts) == 0);
  facts.kind = FileKind::kRegular;
  facts.filesystem = FilesystemTraits();
  facts.filesystem.known = facts.filesystem.uring_writes = true;
  facts.filesystem.access_times = AccessTimes::kNever;  // or it would depend on the time of day
  facts.direct = alignment > 1;
  facts.offset_alignment = alignment;
  facts.memory_alignment = std::min<uint32_t>(alignment, 4096);
  return facts;
}

uint8_t* MockDisk::bytes(int fd) const {
  const auto found = files_.find(fd);
  return found == files_.end() ? nullptr : found->second.memory;
}

uint64_t MockDisk::size(int fd) const {
  struct stat status;
  return fstat(fd, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

int32_t MockDisk::read(int fd, const iovec* vectors, uint32_t count, uint64_t offset, uint64_t limit) const {
  const uint8_t* memory = bytes(fd);
  if (memory == nullptr || fcntl(fd, F_GETFD) == -1) return -EBADF;
  const uint64_t end = size(fd);
  uint64_t left = offset < end ? std::min(limit, end - offset) : 0;
  uint64_t moved = 0;
  for (uint32_t i = 0; i < count && left > 0; ++i) {
    const uint64_t piece = std::min<uint64_t>(vectors[i].iov_len, left);
    std::memcpy(vectors[i].iov_base, memory + offset + moved, piece);
    moved += piece;
    left -= piece;
  }
  return static_cast<int32_t>(moved);
}

int32_t MockDisk::write(int fd, const iovec* vectors, uint32_t count, uint64_t offset, uint64_t limit) const {
  const auto found = files_.find(fd);
  if (found == files_.end() || fcntl(fd, F_GETFD) == -1) return -EBADF;
  uint64_t wanted = 0;
  for (uint32_t i = 0; i < count; ++i) wanted += vectors[i].iov_len;
  wanted = std::min(wanted, limit);
  if (wanted == 0) return 0;
  if (offset >= found->second.size_max) return -EFBIG;
  uint64_t left = std::min(wanted, found->second.size_max - offset);
  // fallocate(2) only ever grows the file, also while another thread writes to it.
  if (fallocate(fd, 0, static_cast<off_t>(offset), static_cast<off_t>(left)) != 0) return -errno;
  uint64_t moved = 0;
  for (uint32_t i = 0; i < count && left > 0; ++i) {
    const uint64_t piece = std::min<uint64_t>(vectors[i].iov_len, left);
    std::memcpy(found->second.memory + offset + moved, vectors[i].iov_base, piece);
    moved += piece;
    left -= piece;
  }
  return static_cast<int32_t>(moved);
}

}  // namespace ioengine
