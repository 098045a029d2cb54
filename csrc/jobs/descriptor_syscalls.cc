#include "jobs/descriptor_syscalls.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/eintr.h"

namespace ioengine {

int32_t ChangeDescriptorModeJob::run() {
  return without_eintr([this] { return fchmod(fd, mode); });
}

int32_t ChangeDescriptorOwnerJob::run() {
  return without_eintr([this] { return fchown(fd, user, group); });
}

int32_t SetDescriptorTimesJob::run() {
  return without_eintr([this] { return futimens(fd, times.values); });
}

}  // namespace ioengine
