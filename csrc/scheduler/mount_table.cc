#include "scheduler/mount_table.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/clock.h"
#include "base/limits.h"

namespace ioengine {
namespace {

// Absolute, without `.`, `..` and empty parts. Links are not followed: what `..` behind one leads to is not
// what stands here, which costs such a call its place in the right queue and nothing else.
std::string normal(std::string_view path) {
  std::string result;
  if (path.empty() || path[0] != '/') {
    char folder[4096];
    if (getcwd(folder, sizeof(folder)) != nullptr) result = folder;
    if (result == "/") result.clear();
  }
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part == "..") {
      result.resize(std::min(result.rfind('/'), result.size()));
    } else if (!part.empty() && part != ".") {
      result += '/';
      result += part;
    }
  }
  return result.empty() ? "/" : result;
}

bool is_at_or_below(std::string_view path, std::string_view point) {
  if (point == "/") return true;
  return path.substr(0, point.size()) == point && (path.size() == point.size() || path[point.size()] == '/');
}

}  // namespace

MountTable::MountTable() : fd_(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)) {}

MountTable::~MountTable() {
  if (fd_ >= 0) ::close(fd_);
}

bool MountTable::wants_reading() {
  if (reading_) return false;
  if (!known_) return reading_ = true;
  if (fd_ < 0) return false;
  const uint64_t now = monotonic_ns();
  if (now - looked_ns_ < limits::mount_look_ns) return false;
  looked_ns_ = now;
  pollfd poller = {fd_, POLLPRI, 0};
  return reading_ = poll(&poller, 1, 0) == 1;
}

void MountTable::learn(std::vector<Mount> mounts) {
  mounts_ = std::move(mounts);
  known_ = true;
  reading_ = false;
}

uint16_t MountTable::queue_of(std::string_view path) {
  if (mounts_.empty()) return 0;
  const std::string whole = normal(path);
  for (const Mount& mount : mounts_) {
    if (is_at_or_below(whole, mount.point)) return mount.remote ? queue_of_device(mount.device) : 0;
  }
  return 0;
}

uint16_t MountTable::queue_of_number(int fd) {
  if (mounts_.empty()) return 0;
  char name[32], path[4096];
  std::snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(name, path, sizeof(path));
  // Not of a pipe or a socket ("pipe:[123]").
  return length > 0 && path[0] == '/' ? queue_of({path, static_cast<size_t>(length)}) : 0;
}

// Devices that have gone leave their number to the next one: a queue is no more than a place to wait in.
uint16_t MountTable::queue_of_device(uint64_t device) {
  const auto found = std::find(devices_.begin(), devices_.end(), device);
  const auto index = static_cast<size_t>(found - devices_.begin());
  if (found == devices_.end()) {
    if (devices_.size() >= limits::mount_queues)
      return static_cast<uint16_t>(device % limits::mount_queues + 1);
    devices_.push_back(device);
  }
  return static_cast<uint16_t>(index + 1);
}

std::string MountTable::point_of(uint16_t queue) const {
  if (queue == 0 || queue > devices_.size()) return {};
  const uint64_t device = devices_[queue - 1];
  const auto is_its = [=](const Mount& mount) { return mount.device == device; };
  const auto found = std::find_if(mounts_.rbegin(), mounts_.rend(), is_its);
  return found != mounts_.rend() ? found->point : std::string();
}

}  // namespace ioengine
