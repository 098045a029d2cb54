// One call on a path: what is to be done, and then what was found. Each kind of call is a struct of its own,
// derived from these, in the file that is named for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace ioengine {

struct ResumableJob;

// `second` is empty where there is one path.
struct PathPair {
  std::string_view first;
  std::string_view second;
};

struct PathJob {
  explicit PathJob(std::string path) : path(std::move(path)) {}
  virtual ~PathJob() = default;

  // Returns bytes or 0, -errno, or a code of jobs/result_codes.h. May wait: never on the JavaScript thread.
  virtual int32_t run() = 0;

  // The paths that the call is about, by which calls wait for each other.
  virtual PathPair paths() const { return {path, {}}; }

  // The job itself where it has begun and has more to do, in further time slices.
  virtual ResumableJob* unfinished() { return nullptr; }

  const std::string path;
};

// A job that finds a text or a list of names.
struct TextJob : PathJob {
  using PathJob::PathJob;
  std::string found;
};

}  // namespace ioengine
