// The names in a directory and in all below it: recursive readdir.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "jobs/path_job.h"

namespace ioengine {

enum ReadTreeOption : int32_t {  // src/native/addon.ts has the same numbers
  kTreeTypes = 1,
  kTreeLevels = 2,        // the directories that have been found first are read first
  kTreeFollowsLinks = 4,  // with types as well
};

// Walks down from the directories in `below`: their paths from `path`, a NUL between them, empty for itself.
// The last of them is read first, and the directories found in it next, the last first; or, level by level,
// the first of them first, and those found in it behind the others. `found` gets pieces, each with a NUL
// behind it: the path of each entry; or, with types, of each directory its path, the types of its entries,
// one byte each, and their names. Without types a symbolic link is followed, as node does.
struct ReadTreeJob final : TextJob {
  ReadTreeJob(std::string path, int32_t options, std::string below)
      : TextJob(std::move(path)), options(options), below(std::move(below)) {}

  // 0; -errno of the open; kUnfinished where the time of one job is over and directories are left;
  // kUnsupported where something went wrong below the first directory.
  int32_t run() override;

  const int32_t options;
  const std::string below;
  std::string
      left;  // directories that are still to be read, each with a NUL behind it: `below` of the next job
};

}  // namespace ioengine
