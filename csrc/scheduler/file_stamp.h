// What tells that a file has not been changed in between: its size and when it was modified. A read stream
// hands out what it has read ahead only while the stamp is what it was when that was read (H34).
#pragma once

#include <cstdint>

namespace ioengine {

struct FileStamp {
  uint64_t size;
  int64_t modified_s;
  uint32_t modified_ns;
  int64_t changed_s;
  uint32_t changed_ns;
};

// False where an equal stamp would prove nothing: the file is no regular one, or was changed in this tick of
// the kernel's clock (1 to 10 ms), so that another change may get the same time. Answered from memory.
bool take_stamp(int fd, FileStamp* stamp);

}  // namespace ioengine
