// What one or a few plain system calls on a path do, on a pool thread.
#pragma once

#include <cstdint>

namespace ioengine {

struct PathJob;

// What is done; src/native/addon.ts has the same numbers.
enum class PathChange : uint8_t {
  kMakeDirectories,  // first: mode; `found` is the first one made, or empty
  kTruncate,         // first: length
  kChangeMode,       // first: mode
  kChangeOwner,      // first: user, second: group
  kChangeLinkOwner,  // the same, of a symbolic link itself
  kReadLink,         // `found`: the text
  kRealPath,         // `found`: the path without links
  kMakeDirectory,    // first: mode
  kRemoveDirectory,
  kUnlink,
  kRename,        // to `target`
  kLink,          // `target`: the new name
  kSymbolicLink,  // the text is `path`, the link is `target`
};

// 0, -errno, or kNotTaken where node has to word the error, and may do all of it over again. May wait: never
// on the JavaScript thread.
int32_t change_path(PathJob* job);

}  // namespace ioengine
