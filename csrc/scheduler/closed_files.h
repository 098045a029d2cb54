// Files that were closed by somebody since they last changed. A file that was cut is written out by the next
// close, whoever does it, and by none after that until it is cut again, which changes its ctime (ext4, btrfs,
// XFS). So where the ctime is that of an earlier close, dirty pages wait for the kernel's own writeback, and
// another close leaves them alone: new files stay dirty for 30 s, and are read meanwhile.
#pragma once

#include <cstdint>
#include <vector>

#include "jobs/file_facts.h"

namespace ioengine {

class ClosedFiles {
 public:
  // The file with these facts, which are older than its close, has been closed.
  void remember(const FileFacts& facts) {
    if (facts.changed_ns == 0) return;
    if (entries_.empty()) entries_.resize(kEntries);
    entries_[index_of(facts)] = {facts.mount, facts.inode, facts.changed_ns};
  }
  bool has(const FileFacts& facts, int64_t changed_ns) const {
    if (entries_.empty()) return false;
    const Entry& entry = entries_[index_of(facts)];
    return entry.mount == facts.mount && entry.inode == facts.inode && entry.changed_ns == changed_ns;
  }

 private:
  static constexpr size_t kEntries = 1024;
  struct Entry {
    uint64_t mount = 0;
    uint64_t inode = 0;
    int64_t changed_ns = 0;
  };
  static size_t index_of(const FileFacts& facts) {
    return (facts.inode ^ facts.mount * 0x9e3779b97f4a7c15u) % kEntries;
  }
  std::vector<Entry> entries_;
};

}  // namespace ioengine
