// A call that has not settled, for people: what it is, and what it waits for.
#pragma once

#include <cstdint>
#include <string>

#include "backend/operations.h"
#include "jobs/filesystem_kind.h"

namespace ioengine {

struct CallInFlight {
  const char* function = "";  // of node:fs
  std::string path;           // of an open file: what it was opened as, as far as the kernel can tell
  std::string target;         // of a call on two paths
  int fd = -1;
  std::string mount;
  FilesystemKind kind = FilesystemKind::kLocal;
  Lane lane = Lane::kThreads;
  uint64_t age_ns = 0;
};

}  // namespace ioengine
