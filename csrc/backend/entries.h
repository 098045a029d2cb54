// The entries of one directory, read to the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ioengine {

struct Entry {
  uint32_t name;       // where it is in Entries::names
  unsigned char type;  // DT_REG, ...
};

struct Entries {
  std::string names;  // each with a NUL at its end
  std::vector<Entry> list;

  const char* name(const Entry& entry) const { return names.data() + entry.name; }
  // Adds all but `.` and `..`. False: an error, or more than can be counted.
  bool read(int directory);
};

}  // namespace ioengine
