// cp: a file or a tree, copied as node's fs.cp does it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jobs/resumable_job.h"

namespace ioengine {

enum CopyOption : int32_t {  // src/native/addon.ts has the same numbers
  kCopyRecursive = 1,
  kCopyVerbatimLinks = 2,  // where they lead to is not made absolute
  kCopyOnlyFolders = 4,    // a slash at the end of a path
  kCopyNewFolders = 8,     // as Node 26 copies a folder that is not there yet: in one go
};

// Copies `path` to `target`, both absolute and without `.` and `..`; what is there is replaced. The result is
//   0: all is copied;
//   kUnsupported: something is in the way, and node:fs has to copy it all;
//   (with kCopyNewFolders what has been made is removed before, and node begins anew);
//   kCopyStopped: the same, and then `modes` are to be set, which node leaves as they are where a directory
//   is
//     there already.
struct CopyTreeJob final : ResumableJob {
  CopyTreeJob(std::string path, std::string target, int32_t options)
      : ResumableJob(std::move(path)), target(std::move(target)), options(options) {}

  PathPair paths() const override { return {path, target}; }

  const std::string target;
  const int32_t options;

  // Directories that have been made and do not have their modes yet: first those that are complete, inner
  // ones before those around them.
  struct DirectoryMode {
    std::string path;
    mode_t mode;
    bool is_complete;
  };
  std::vector<DirectoryMode> modes;

 private:
  int32_t begin(std::unique_ptr<ResumableWork>* work) override;
};

}  // namespace ioengine
