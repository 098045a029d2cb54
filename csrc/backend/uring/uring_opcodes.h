// Opcodes and flags newer than Debian 12's liburing 2.3. The values are kernel ABI
// (include/uapi/linux/io_uring.h); each is probed at run time before it is used.
#pragma once

namespace ioengine {

constexpr unsigned kUringOpFtruncate = 55;  // Linux 6.9

}  // namespace ioengine
