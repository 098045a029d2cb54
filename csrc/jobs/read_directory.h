// Directories and trees as a whole: the names in them, and their removal.
#pragma once

#include <cstdint>

namespace ioengine {

struct PathJob;

// All names but `.` and `..`, in the order of their bytes, as libuv sorts them. `found` gets each with a
// slash behind it, and then, if `first` is set, one byte for the type of each, as libuv numbers them. Returns
// 0, -errno of the open, or kNotTaken where node is to word what went wrong later.
int32_t read_directory(PathJob* job);

// The same for a directory and all below it, down from the directories in `below`: their paths from
// job->path, a NUL between them, empty for itself. The last of them is read first, and the directories found
// in it next, the last first. `found` gets pieces with a NUL between them: the path of each entry; or, if
// `first` is set, of each directory its path, the types of its entries, one byte each, and their names. Then
// come the directories that are left, to be asked for as `below`, and last their number. A symbolic link is
// followed unless `first` is set, as node does. kUnfinished: the time of one trip is over. kNotTaken:
// something went wrong below the first directory.
int32_t read_tree(PathJob* job);

// One slice of rm(1), with -r if `first` is set and -f if `second` is: 0 when nothing is left, kUnfinished,
// or kNotTaken where node has to go on with what is left, or to word the error.
int32_t remove_tree(PathJob* job);

}  // namespace ioengine
