// Calls on open descriptors that change attributes of the file.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "jobs/path_job.h"
#include "jobs/times.h"

namespace ioengine {

// Is run with the descriptor of its request, which its gate keeps open.
struct DescriptorJob : PathJob {
  DescriptorJob() : PathJob("") {}
  int fd = -1;
};

struct ChangeDescriptorModeJob final : DescriptorJob {
  explicit ChangeDescriptorModeJob(mode_t mode) : mode(mode) {}
  int32_t run() override;
  const mode_t mode;
};

struct ChangeDescriptorOwnerJob final : DescriptorJob {
  ChangeDescriptorOwnerJob(uid_t user, gid_t group) : user(user), group(group) {}
  int32_t run() override;
  const uid_t user;
  const gid_t group;
};

struct SetDescriptorTimesJob final : DescriptorJob {
  explicit SetDescriptorTimesJob(const FileTimes& times) : times(times) {}
  int32_t run() override;
  const FileTimes times;
};

}  // namespace ioengine
