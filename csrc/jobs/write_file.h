// A file opened, written, synced where that is wanted, and closed.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "base/owned_fd.h"
#include "jobs/file_facts.h"
#include "jobs/path_job.h"

namespace ioengine {

struct WriteFileJob final : PathJob {
  using PathJob::PathJob;

  // Returns the bytes written, -errno when the file cannot be opened, kWriteStopped when it was, but not all
  // was done, or kUnsupported.
  int32_t run() override;

  int flags = 0;  // of the open
  uint32_t mode = 0;
  bool sync = false;
  bool remote = false;         // as far as the path tells
  const char* data = nullptr;  // the caller's memory
  size_t size = 0;

  // All of them where the descriptor is still open; else the kind at least.
  FileFacts facts;

  // Of kWriteStopped: the step that failed and its -errno, kNone where the file is not the engine's; and the
  // descriptor, if it is still open.
  enum class Step : uint8_t { kNone, kWrite, kSync, kClose };  // src/native/addon.ts has the same numbers
  Step failed = Step::kNone;
  int32_t error = 0;
  OwnedFd file;

 private:
  int32_t open_it();
  int32_t find_kind();
  int32_t write_all();
  int32_t stop(Step step, int32_t step_error);
};

}  // namespace ioengine
