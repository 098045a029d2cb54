// Files and trees, copied as node's cp does it.
#pragma once

#include <cstdint>

namespace ioengine {

struct PathJob;

enum CopyOption : int32_t {  // src/native/addon.ts
  kCopyRecursive = 1,
  kCopyVerbatimLinks = 2,  // where they lead to is not made absolute
  kCopyOnlyFolders = 4,    // a slash at the end of a path
};

// One slice of a copy of job->path to job->target, both absolute and without `.` and `..`; what is there is
// replaced. `first` has the options. Returns
//   0: all is copied;
//   kUnfinished;
//   kNotTaken: something is in the way, and node has to copy it all;
//   kCopyStopped: the same, and then modes are to be set, which node leaves as they are where a directory is
//     there already. `found` has pieces with a NUL between them: how many of the directories are complete,
//     and of each the mode, in decimal, and the path. Complete ones come first, inner ones before those
//     around them.
int32_t copy_tree(PathJob* job);

}  // namespace ioengine
