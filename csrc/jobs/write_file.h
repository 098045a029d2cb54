// A file opened, written and closed in one trip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "jobs/read_file.h"

namespace ioengine {

// What is written. `data` is the caller's memory, or text_ of the same job.
struct WholeWrite {
  // src/native/addon.ts has the same numbers.
  enum class Step : uint8_t { kNone, kWrite, kSync, kClose };

  int flags = 0;
  uint32_t mode = 0;
  bool sync = false;
  const char* data = nullptr;
  size_t size = 0;

  // Of kWriteStopped: the step that failed, kNone where the file is not the engine's, and -errno.
  Step failed = Step::kNone;
  int32_t error = 0;
};

// Returns the bytes written; -errno when the file cannot be opened; kWriteStopped where it was, but not all
// was done, and its descriptor, if it is still open, is in the WholeFile; or kNotTaken. May wait: never on
// the JavaScript thread.
int32_t write_whole_file(const std::string& path, WholeWrite* write, WholeFile* file);

}  // namespace ioengine
