// Numbers of descriptors that node has given, in a Worker: it lists them there and closes what is left when
// the Worker ends. So only node may take such a number and set it free; the files come and go under it.
#pragma once

#include <cstdint>

namespace ioengine {

// Moves an open file to a number that node holds open for it. The number, or -errno; `fd` is closed in any
// case. May wait (FUSE is told of each close): never on the JavaScript thread.
int32_t move_to_number(int fd, int number);

// Closes the file of a number and leaves the number taken by nothing that could be read, written or waited
// for. 0, or the errno that close(2) would have failed with, above 0: the file is closed all the same.
// kUnsupported where nothing has been done. May wait, as close(2) does.
int32_t close_keeping_number(int fd);

}  // namespace ioengine
