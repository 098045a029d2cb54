// Directories as a whole: the names in them, and their removal.
#pragma once

#include <cstdint>

namespace ioengine {

struct PathJob;

// All names but `.` and `..`, in the order of their bytes, as libuv sorts them. `found` gets each with a
// slash behind it, and then, if `first` is set, one byte for the type of each, as libuv numbers them. Returns
// 0, -errno of the open, or kNotTaken where node is to word what went wrong later.
int32_t read_directory(PathJob* job);

// rm(1), with -r if `first` is set and -f if `second` is: 0 when nothing is left, kUnfinished when the time
// of one trip is over, or kNotTaken where node has to go on with what is left, or to word the error.
int32_t remove_tree(PathJob* job);

constexpr int32_t kUnfinished = -4099;

}  // namespace ioengine
