// copyFile: one file, as libuv copies it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "jobs/resumable_job.h"

namespace ioengine {

// How, in bits. The first three are those of fs.constants, the others what a version of libuv does besides;
// src/native/addon.ts has the same numbers.
enum CopyFileOption : int32_t {
  kCopyExclusive = 1,
  kCopyClone = 2,
  kCopyCloneOnly = 4,
  kCopyTimesAndOwner = 8,  // since libuv 1.49 the copy gets them, before its content
  kCopyIgnoresTimes = 16,  // it does not matter that the times cannot be set
};

// Content and mode of the file at `path`, which may lead through links. The result is 0, -errno, or
// kUnsupported where an open may wait for another process. Where something goes wrong once the target is open
// the target is removed, as libuv does.
struct CopyFileJob final : ResumableJob {
  CopyFileJob(std::string path, std::string target, int32_t options)
      : ResumableJob(std::move(path)), target(std::move(target)), options(options) {}

  PathPair paths() const override { return {path, target}; }

  const std::string target;
  const int32_t options;

 private:
  int32_t begin(std::unique_ptr<ResumableWork>* work) override;
};

}  // namespace ioengine
