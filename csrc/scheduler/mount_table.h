// Which queue of the pool serves a path or an open file: each remote mount has one of its own, so that a
// server that does not answer holds up nobody else. Paths go by the longest mount point that they begin with,
// as they are written: a link that leads to a remote mount is not seen beforehand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/filesystem_kind.h"
#include "jobs/mount_list.h"

namespace ioengine {

// What an open file was opened as, as far as the kernel can tell. Asks no filesystem: the kernel writes down
// the names that led to the file. Empty for what has none ("pipe:[123]").
std::string path_of_number(int fd);

class MountTable {
 public:
  // Opens the list, which asks no filesystem, and before there is anything to be found under the number that
  // the program has closed last: it may still use that, and is to get EBADF.
  MountTable();
  ~MountTable();

  // False: the list has not been read yet, and paths have to wait for it.
  bool known() const { return known_; }
  // Whether to read it now: the first time, and when the kernel says that it has changed. True once, until
  // learn(). Looks at most every limits::mount_look_ns.
  bool wants_reading();
  int fd() const { return fd_; }
  // What a MountListJob has found.
  void learn(MountList list);
  // Or that it failed (no descriptor, no memory). What was known before stays, and where that is nothing
  // everything counts as local, until it is read after all.
  void fail();

  // 0 where the path is on no remote mount.
  uint16_t queue_of(std::string_view path);
  uint16_t queue_of_device(uint64_t device);
  // Of an open file that nothing is known of yet, by where it was opened: no call of its filesystem.
  uint16_t queue_of_number(int fd);
  // 0 where there is none.
  uint64_t device_of(uint16_t queue) const {
    return queue > 0 && queue <= devices_.size() ? devices_[queue - 1] : 0;
  }

  // For people: where a mount is, by its queue, by a device, or by a path on it; empty if that is not known.
  std::string point_of(uint16_t queue) const;
  std::string point_of_device(uint64_t device) const;
  std::string point_of_path(std::string_view path) const;
  // What a path is on. Paths of one folder in a row cost one look.
  FilesystemKind kind_of(std::string_view path);

 private:
  bool has_points_in(std::string_view folder) const;

  void open_list();

  int fd_ = -1;
  bool known_ = false;
  bool failed_ = false;  // to read it, the last time
  bool reading_ = false;
  uint64_t looked_ns_ = 0;
  MountList list_;
  std::string last_folder_;  // that kind_of() was asked about, and its answer
  FilesystemKind last_kind_ = FilesystemKind::kLocal;
  std::vector<uint64_t> devices_;  // of the queues, from 1 on
};

}  // namespace ioengine
