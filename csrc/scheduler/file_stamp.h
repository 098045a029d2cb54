// What shows that a file has not been changed in between: its size and when it was modified. A read stream
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

// False where an equal stamp would prove nothing: the file is no regular one, or was changed within the last
// second, so that the change may go on, or another one get the same time. Answered from memory. What writes
// through a mapping of the file leaves no trace: its pages carry no time.
bool take_stamp(int fd, FileStamp* stamp);

}  // namespace ioengine
