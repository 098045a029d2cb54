// The content of one file.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace ioengine {

enum class Copied { kAll, kFailed, kTimeIsOver };

// Copies from `*offset` on, which counts what is done, to a file that is made if that is 0 and must not be
// there yet; and gives it the mode. No more than the size that the file has when it is opened, as libuv does.
// The time may be over only after some bytes.
Copied copy_file(const std::string& from, const std::string& to, uint64_t* offset, uint64_t deadline_ns);

}  // namespace ioengine
