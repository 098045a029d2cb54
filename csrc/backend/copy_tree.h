// Files and trees, copied as node's cp does it.
#pragma once

#include <cstdint>

namespace ioengine {

struct PathJob;

enum CopyOption : int32_t {  // src/native/addon.ts
  kCopyRecursive = 1,
  kCopyVerbatimLinks = 2,  // where they lead to is not made absolute
  kCopyOnlyFolders = 4,    // a slash at the end of a path
  kCopyPart = 8,           // the caller has more steps, or a rest
};

// Copies job->path to job->target, both absolute and without `.` and `..`; what is there is replaced. Or goes
// on with the steps in `below`, as `found` had them: pieces with a NUL between them, the last of them next.
// `first` has the options. Returns
//   0: all is copied, or all steps are taken;
//   kUnfinished: `found` has the steps that are left. The time of one trip is over; or links and modes of
//     directories, steps with an `l` or `m`, have to wait for steps that the caller has;
//   the same with "stopped" as the last piece, behind the step that failed: node has to copy it all, and then
//     the modes are to be set;
//   kNotTaken: the same, and nothing has been done yet.
int32_t copy_tree(PathJob* job);

}  // namespace ioengine
