// The names in one directory.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "jobs/path_job.h"

namespace ioengine {

// All names but `.` and `..`, in the order of their bytes, as libuv sorts them. `found` gets each with a
// slash behind it, and then, with types, one byte for the type of each, as libuv numbers them.
struct ReadDirectoryJob final : TextJob {
  ReadDirectoryJob(std::string path, bool with_types) : TextJob(std::move(path)), with_types(with_types) {}

  // Returns 0, -errno of the open, or kUnsupported where something went wrong later, so that node:fs raises
  // the error.
  int32_t run() override;

  const bool with_types;
};

}  // namespace ioengine
