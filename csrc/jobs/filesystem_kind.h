// Kinds of filesystem, by how long a call on one may take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ioengine {

enum class FilesystemKind : uint8_t {
  kLocal,    // a disk of this machine
  kMemory,   // no device behind it
  kStacked,  // layers of other filesystems
  kRemote,   // another machine or process answers; also every type that is not known
  kSpecial,  // the kernel makes its files up: they are node's
};
constexpr size_t kFilesystemKinds = 5;

// By the type that mountinfo names.
FilesystemKind kind_of_type(std::string_view type);

}  // namespace ioengine
