// A small file, opened, read and closed in one go.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "jobs/file_facts.h"
#include "jobs/path_job.h"

namespace ioengine {

// Either `content` is there, and the file is closed; or it could not be read in one go, `fd` is open, and
// belongs to this object until someone takes it.
struct WholeFile {
  WholeFile() = default;
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;
  ~WholeFile();

  bool is_open() const { return fd >= 0; }
  bool has_content() const { return content != nullptr; }
  // Memory for all of the file; false when too much of it is held in finished requests that nobody has taken
  // yet.
  bool reserve();
  void drop_content();
  void close();

  int fd = -1;
  FileFacts facts;
  bool has_name = false;    // a link: its close does not free blocks
  bool update_due = false;  // reading it updates its access time
  uint64_t open_ns = 0;     // how long the pool took to open it
  std::unique_ptr<char[]> content;
  uint32_t reserved = 0;
  uint32_t bytes = 0;
};

struct ReadFileJob final : PathJob {
  ReadFileJob(std::string path, std::unique_ptr<WholeFile> file)
      : PathJob(std::move(path)), file(std::move(file)) {}

  // Opens the file unless it is open, and reads it if it is a regular one of 1 to limits::whole_file_bytes
  // bytes: open, statx, pread and close. Returns the bytes read, 0 when the descriptor is left to the caller
  // with all of its facts, or -errno when it cannot be opened.
  int32_t run() override;

  bool learn = false;  // also what the mount is, where the inline lane does not know it yet

  const std::unique_ptr<WholeFile> file;

 private:
  int32_t open_it();
};

}  // namespace ioengine
