// The names in a directory and in all below it: recursive readdir.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "jobs/path_job.h"

namespace ioengine {

// Walks down from the directories in `below`: their paths from `path`, a NUL between them, empty for itself.
// The last of them is read first, and the directories found in it next, the last first. `found` gets pieces,
// each with a NUL behind it: the path of each entry; or, with types, of each directory its path, the types of
// its entries, one byte each, and their names. Without types a symbolic link is followed, as node does.
struct ReadTreeJob final : TextJob {
  ReadTreeJob(std::string path, bool with_types, std::string below)
      : TextJob(std::move(path)), with_types(with_types), below(std::move(below)) {}

  // 0; -errno of the open; kUnfinished where the time of one job is over and directories are left;
  // kUnsupported where something went wrong below the first directory.
  int32_t run() override;

  const bool with_types;
  const std::string below;
  std::string
      left;  // directories that are still to be read, each with a NUL behind it: `below` of the next job
};

}  // namespace ioengine
