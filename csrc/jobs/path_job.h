// Questions about a path, and about the attributes of a file: what is asked, and where the answer goes.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "jobs/file_facts.h"
#include "jobs/path_syscalls.h"
#include "jobs/read_file.h"
#include "jobs/result_codes.h"
#include "jobs/resumable_job.h"
#include "jobs/write_file.h"

namespace ioengine {

// What node shows of a file, and so what it asks for (libuv's uv__fs_statx).
constexpr unsigned kStatxMask = STATX_BASIC_STATS | STATX_BTIME;

struct PathJob {
  std::string path;
  bool follow = true;  // kStat: a symbolic link at the end of the path
  int32_t mode = 0;    // kAccess: F_OK, or R_OK, W_OK and X_OK
  struct statx status = {};
  std::unique_ptr<WholeFile> file;  // kReadFile, kWriteFile
  WholeWrite write;                 // kWriteFile

  // kChangePath, kReadLink
  PathChange change = PathChange::kReadLink;
  int64_t first = 0;
  int64_t second = 0;
  std::string found;   // also of kReadDirectory and kReadTree (jobs/read_directory.h), and of kCopyTree
  std::string below;   // kReadTree
  std::string target;  // kChangePath with two paths, kCopyTree (jobs/copy_tree.h)

  // kCopyTree, kRemoveTree, between two slices.
  std::unique_ptr<ResumableJob> resumable;
  const std::atomic<bool>* ending = nullptr;  // the process or the thread ends; set by another thread
  bool is_ending() const { return ending != nullptr && ending->load(std::memory_order_relaxed); }

  // The inline lane does not know the mount yet: find out what it is on the way.
  bool learn = false;
  bool learned = false;
  MountId mount;
  FilesystemTraits filesystem;
};

// One slice of a job, which `make` makes for the first one and the last one deletes.
template <typename Make>
int32_t run_slice(PathJob* job, Make make) {
  const TimeSlice slice;
  if (job->resumable == nullptr) {
    job->resumable = make();
  } else if (job->is_ending() && !job->resumable->is_in_file()) {
    return kUnfinished;
  }
  const int32_t result = job->resumable->run(slice);
  if (result != kUnfinished) job->resumable.reset();
  return result;
}

// Each returns 0, -errno, or kNotTaken. May wait: never on the JavaScript thread.
int32_t stat_path(PathJob* job);
int32_t access_path(PathJob* job);

}  // namespace ioengine
