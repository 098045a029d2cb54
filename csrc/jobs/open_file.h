// An open that finds out on the way what the engine has to know of the file.
#pragma once

#include <cstdint>
#include <string>

#include "jobs/file_facts.h"

namespace ioengine {

// Whether openers insist on O_DIRECT.
enum class DirectMode : uint8_t {
  kAsFlags,   // exactly the flags given
  kRequired,  // add O_DIRECT; a filesystem that refuses it is an error
  kTry,       // add O_DIRECT on regular files where the filesystem takes it
};

struct OpenJob {
  std::string path;
  int flags = 0;
  uint32_t mode = 0;
  DirectMode direct = DirectMode::kAsFlags;
  int number = -1;             // held open by node, and to be the file's (jobs/reserved_number.h)
  uint64_t remote_device = 0;  // of the remote mount that the path is on, as far as its text tells
  FileFacts facts;             // valid when the result is not an error
  uint64_t took_ns = 0;
};

// Whether an open(2) of the path may wait for another process: FIFOs, devices, sockets. May wait itself.
bool may_wait_on_open(const std::string& path);

// openat(2) with facts. Returns the descriptor, -errno, or kUnsupported where opening may wait for another
// process (FIFO, device). May wait: never on the JavaScript thread.
int32_t open_with_facts(OpenJob* job);

}  // namespace ioengine
