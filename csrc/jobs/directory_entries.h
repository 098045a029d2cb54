// The entries of one directory, all of them or a part at a time.
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
  // Adds those that one call of the kernel lists, which may be none.
  enum class Part { kRead, kEnd, kError };
  Part read_part(int directory);
  void clear() {
    names.clear();
    list.clear();
  }
  // By the bytes of the names, as libuv sorts them.
  void sort();
  // Looks up a type that the directory does not have, as node does. False: an error.
  bool find_type(int directory, Entry* entry) const;
};

// A type as libuv numbers it (uv_dirent_type_t).
char uv_type(const Entry& entry);

}  // namespace ioengine
