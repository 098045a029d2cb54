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

// Most paths: absolute, and nothing in them that normal() changes.
bool is_normal(std::string_view path) {
  if (path.size() < 2 || path[0] != '/') return path == "/";
  for (size_t slash = 0; slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    std::string_view rest = path.substr(slash + 1, 3);
    for (int dots = 0; dots < 2 && !rest.empty() && rest[0] == '.'; ++dots) rest.remove_prefix(1);
    if (rest.empty() || rest[0] == '/') return false;
  }
  return true;
}

bool is_at_or_below(std::string_view path, std::string_view point) {
  if (point == "/") return true;
  // Most points are out after one character.
  const size_t size = point.size();
  if (path.size() < size || (path.size() > size && path[size] != '/')) return false;
  return path.substr(0, size) == point;
}

// The mount that a path is on, as it is written.
const Mount* longest(const std::vector<Mount>& mounts, std::string_view path) {
  const std::string changed = is_normal(path) ? std::string() : normal(path);
  const std::string_view whole = changed.empty() ? path : changed;
  const auto found = std::find_if(mounts.begin(), mounts.end(),
                                  [&](const Mount& mount) { return is_at_or_below(whole, mount.point); });
  return found != mounts.end() ? &*found : nullptr;
}

}  // namespace

std::string path_of_number(int fd) {
  char name[32], path[4096];
  std::snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(name, path, sizeof(path));
  return length > 0 && path[0] == '/' ? std::string(path, static_cast<size_t>(length)) : std::string();
}

MountTable::MountTable() { open_list(); }

MountTable::~MountTable() {
  if (fd_ >= 0) ::close(fd_);
}

void MountTable::open_list() { fd_ = ::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC); }

bool MountTable::wants_reading() {
  if (reading_) return false;
  if (!known_) return reading_ = true;
  const uint64_t now = monotonic_ns();
  if (now - looked_ns_ < (failed_ ? limits::make_again_ns : limits::mount_look_ns)) return false;
  looked_ns_ = now;
  if (fd_ < 0) open_list();
  if (fd_ < 0) return false;
  if (failed_) return reading_ = true;
  pollfd poller = {fd_, POLLPRI, 0};
  return reading_ = poll(&poller, 1, 0) == 1;
}

void MountTable::learn(MountList list) {
  list_ = std::move(list);
  last_folder_.clear();
  known_ = true;
  reading_ = failed_ = false;
}

void MountTable::fail() {
  known_ = failed_ = true;
  reading_ = false;
  looked_ns_ = monotonic_ns();
}

uint16_t MountTable::queue_of(std::string_view path) {
  if (list_.remote.empty()) return 0;
  const Mount* mount = longest(list_.remote, path);
  return mount != nullptr && mount->remote() ? queue_of_device(mount->device) : 0;
}

uint16_t MountTable::queue_of_number(int fd) {
  if (list_.remote.empty()) return 0;
  const std::string path = path_of_number(fd);
  return path.empty() ? 0 : queue_of(path);
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

std::string MountTable::point_of(uint16_t queue) const { return point_of_device(device_of(queue)); }

// The shortest of several: binds of parts of it are others.
std::string MountTable::point_of_device(uint64_t device) const {
  if (device == 0) return {};
  const auto is_its = [=](const Mount& mount) { return mount.device == device; };
  const auto found = std::find_if(list_.all.rbegin(), list_.all.rend(), is_its);
  return found != list_.all.rend() ? found->point : std::string();
}

std::string MountTable::point_of_path(std::string_view path) const {
  const Mount* mount = longest(list_.all, path);
  return mount != nullptr ? mount->point : std::string();
}

// Whether something is mounted right in a folder, which ends in a slash.
bool MountTable::has_points_in(std::string_view folder) const {
  return std::any_of(list_.all.begin(), list_.all.end(), [=](const Mount& mount) {
    return mount.point.size() > folder.size() && mount.point.compare(0, folder.size(), folder) == 0 &&
           mount.point.find('/', folder.size()) == std::string::npos;
  });
}

FilesystemKind MountTable::kind_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  const std::string_view folder = slash == std::string_view::npos ? "." : path.substr(0, slash + 1);
  if (folder == last_folder_) return last_kind_;
  const Mount* mount = longest(list_.all, path);
  const bool is_relative = folder[0] != '/';  // of where the process is now
  last_folder_ = is_relative || has_points_in(folder) ? std::string_view() : folder;
  return last_kind_ = mount != nullptr ? mount->kind : FilesystemKind::kLocal;
}

}  // namespace ioengine
