#include "jobs/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <new>

#include "base/eintr.h"
#include "base/limits.h"
#include "jobs/open_file.h"

namespace ioengine {
namespace {

// Of all threads. It has no destructor: static objects with one are destroyed at exit() while threads still
// run.
std::atomic<uint64_t> held_bytes{0};

bool read_all(WholeFile* file) {
  uint32_t done = 0;
  while (done < file->reserved) {
    const int32_t count = without_eintr(
        [&] { return pread(file->fd, file->content.get() + done, file->reserved - done, done); });
    if (count < 0) return false;
    if (count == 0) break;
    done += static_cast<uint32_t>(count);
  }
  file->bytes = done;
  return true;
}

}  // namespace

WholeFile::~WholeFile() {
  drop_content();
  close();
}

bool WholeFile::reserve() {
  const auto size = static_cast<uint32_t>(facts.size);
  if (held_bytes.fetch_add(size, std::memory_order_relaxed) + size <= limits::whole_files_held_bytes) {
    content.reset(new (std::nothrow) char[size]);
    if (content != nullptr) {
      reserved = size;
      return true;
    }
  }
  held_bytes.fetch_sub(size, std::memory_order_relaxed);
  return false;
}

void WholeFile::drop_content() {
  if (content == nullptr) return;
  content.reset();
  held_bytes.fetch_sub(reserved, std::memory_order_relaxed);
}

void WholeFile::close() {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

int32_t ReadFileJob::run() {
  if (!file->is_open()) {
    OpenJob open;
    open.path = path;
    open.flags = O_RDONLY;
    const int32_t fd = open_with_facts(&open);
    if (fd < 0) return fd;
    file->fd = fd;
    file->facts = open.facts;
    file->open_ns = open.took_ns;
  }
  const FileFacts& facts = file->facts;
  const bool small =
      facts.kind == FileKind::kRegular && facts.size > 0 && facts.size <= limits::whole_file_bytes;
  if (!small || !file->reserve()) return 0;
  // Whatever is wrong shows again when the caller reads the descriptor, and is raised there.
  if (!read_all(file.get())) {
    file->drop_content();
    return 0;
  }
  file->close();
  return static_cast<int32_t>(file->bytes);
}

}  // namespace ioengine
