#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "backend/directory.h"
#include "backend/entries.h"
#include "backend/path_job.h"

namespace ioengine {
namespace {

// Types as libuv numbers them (uv_dirent_type_t).
enum UvType : char { kUvUnknown, kUvFile, kUvDirectory, kUvLink, kUvFifo, kUvSocket, kUvCharacter, kUvBlock };

char uv_type(unsigned char type) {
  switch (type) {
    case DT_REG:
      return kUvFile;
    case DT_DIR:
      return kUvDirectory;
    case DT_LNK:
      return kUvLink;
    case DT_FIFO:
      return kUvFifo;
    case DT_SOCK:
      return kUvSocket;
    case DT_CHR:
      return kUvCharacter;
    case DT_BLK:
      return kUvBlock;
    default:
      return kUvUnknown;
  }
}

// What the directory does not say of a name, as node asks for it.
bool find_type(int directory, const Entries& entries, Entry* entry) {
  struct statx status;
  if (entry->type != DT_UNKNOWN) return true;
  if (statx(directory, entries.name(*entry), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status) != 0) return false;
  entry->type = static_cast<unsigned char>(IFTODT(status.stx_mode));
  return true;
}

void write_out(const Entries& entries, bool with_types, std::string* text) {
  text->reserve(entries.names.size() + entries.list.size());
  for (const Entry& entry : entries.list) {
    text->append(entries.name(entry));
    text->push_back('/');
  }
  if (!with_types) return;
  for (const Entry& entry : entries.list) text->push_back(uv_type(entry.type));
}

}  // namespace

int32_t read_directory(PathJob* job) {
  const int fd = open(job->path.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
  if (fd == -1) return -errno;
  Entries entries;
  bool complete = entries.read(fd);
  std::sort(entries.list.begin(), entries.list.end(), [&](const Entry& left, const Entry& right) {
    return std::strcmp(entries.name(left), entries.name(right)) < 0;
  });
  const bool with_types = job->first != 0;
  for (Entry& entry : entries.list) {
    if (with_types && complete) complete = find_type(fd, entries, &entry);
  }
  ::close(fd);
  if (!complete) return kNotTaken;
  write_out(entries, with_types, &job->found);
  return 0;
}

}  // namespace ioengine
