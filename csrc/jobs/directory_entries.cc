#include "jobs/directory_entries.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "base/statx.h"

namespace ioengine {
namespace {

// struct linux_dirent64 of getdents64(2), which no header declares.
constexpr size_t kLengthAt = 16;
constexpr size_t kTypeAt = 18;
constexpr size_t kNameAt = 19;
constexpr size_t kBufferBytes = 32 * 1024;

enum UvType : char { kUvUnknown, kUvFile, kUvDirectory, kUvLink, kUvFifo, kUvSocket, kUvCharacter, kUvBlock };

bool is_self_or_parent(const char* name) {
  return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

}  // namespace

Entries::Part Entries::read_part(int directory) {
  alignas(8) char buffer[kBufferBytes];
  const long bytes = syscall(SYS_getdents64, directory, buffer, sizeof(buffer));
  // ENOENT: the directory has been removed, and so has everything in it.
  if (bytes == 0 || (bytes == -1 && errno == ENOENT)) return Part::kEnd;
  if (bytes == -1) return Part::kError;
  for (long at = 0; at < bytes;) {
    const char* entry = buffer + at;
    uint16_t length;
    std::memcpy(&length, entry + kLengthAt, sizeof(length));
    at += length;
    const char* name = entry + kNameAt;
    if (is_self_or_parent(name)) continue;
    if (names.size() > std::numeric_limits<int32_t>::max()) return Part::kError;
    list.push_back({static_cast<uint32_t>(names.size()), static_cast<unsigned char>(entry[kTypeAt])});
    names.append(name, std::strlen(name) + 1);
  }
  return Part::kRead;
}

bool Entries::read(int directory) {
  for (;;) {
    const Part part = read_part(directory);
    if (part != Part::kRead) return part == Part::kEnd;
  }
}

void Entries::sort() {
  std::sort(list.begin(), list.end(), [this](const Entry& left, const Entry& right) {
    return std::strcmp(name(left), name(right)) < 0;
  });
}

bool Entries::find_type(int directory, Entry* entry) const {
  struct statx status;
  if (entry->type != DT_UNKNOWN) return true;
  if (statx_at(directory, name(*entry), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status) != 0) return false;
  entry->type = static_cast<unsigned char>(IFTODT(status.stx_mode));
  return true;
}

char uv_type(const Entry& entry) {
  switch (entry.type) {
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

}  // namespace ioengine
