#include "jobs/directory_stream.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "base/eintr.h"

namespace ioengine {

// False at the end, and where `error` is set.
bool DirectoryStream::list_more(int32_t* error) {
  entries_.clear();
  next_ = 0;
  while (!ended_ && entries_.list.empty()) {
    switch (entries_.read_part(fd_.get())) {
      case Entries::Part::kRead:
        break;
      case Entries::Part::kEnd:
        ended_ = true;
        break;
      case Entries::Part::kError:
        *error = -errno;
        return false;
    }
  }
  return !ended_;
}

int32_t DirectoryStream::read(size_t most, bool exact, std::string* text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!fd_.is_open()) return -EBADF;
  std::string types;
  int32_t error = 0;
  while (types.size() < most) {
    if (next_ == entries_.list.size() && !list_more(&error)) break;
    const size_t left = entries_.list.size() - next_;
    const size_t count = exact ? std::min(left, most - types.size()) : left;
    for (size_t i = 0; i < count; ++i) {
      const Entry& entry = entries_.list[next_++];
      text->append(entries_.name(entry));
      text->push_back('/');
      types.push_back(uv_type(entry));
    }
  }
  if (error != 0) return error;
  text->append(types);
  return static_cast<int32_t>(types.size());
}

int32_t DirectoryStream::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return fd_.is_open() ? close_once(fd_.release()) : -EBADF;
}

int32_t OpenDirectoryJob::run() {
  const int32_t fd =
      without_eintr([this] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC); });
  if (fd < 0) return fd;
  stream = std::make_shared<DirectoryStream>(path, OwnedFd(fd));
  return 0;
}

}  // namespace ioengine
