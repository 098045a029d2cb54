// The content of one file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/owned_fd.h"
#include "jobs/resumable_job.h"

namespace ioengine {

enum class Copied { kAll, kFailed, kTimeIsOver };

// Both files are opened once: what takes their names while the copy is under way has no part in it (H30).
class FileCopy {
 public:
  // The target is made, and must not be there yet. False: it has not been made.
  bool open(const std::string& from, const std::string& to);
  // Copies, and gives the target the mode of the source at the end. No more than the size that the source had
  // when it was opened, as libuv does. The time may be over only after some bytes.
  Copied copy_on(const TimeSlice& slice);

  static constexpr size_t kDescriptors = 2;

 private:
  OwnedFd from_;
  OwnedFd to_;
  mode_t mode_ = 0;
  uint64_t size_ = 0;
  uint64_t done_ = 0;
};

}  // namespace ioengine
