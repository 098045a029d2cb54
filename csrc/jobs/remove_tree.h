// rm: a file, or a directory with all in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "jobs/resumable_job.h"

namespace ioengine {

// The result is 0 when nothing is left, or kUnsupported where node:fs has to go on with what is left, or to
// raise the error.
struct RemoveTreeJob final : ResumableJob {
  RemoveTreeJob(std::string path, bool recursive, bool force)
      : ResumableJob(std::move(path)), recursive(recursive), force(force) {}

  const bool recursive;
  const bool force;  // nothing to remove is no error

 private:
  int32_t begin(std::unique_ptr<ResumableWork>* work) override;
};

}  // namespace ioengine
