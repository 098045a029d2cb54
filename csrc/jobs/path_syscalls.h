// Calls on paths that are one system call or a few.
#pragma once

#include <sys/types.h>
#include <sys/vfs.h>

#include <cstdint>
#include <string>
#include <utility>

#include "jobs/path_job.h"
#include "jobs/times.h"

namespace ioengine {

// As JavaScript names them: src/native/addon.ts has the same numbers.
enum class PathSyscall : uint8_t {
  kMakeDirectories,
  kTruncate,
  kChangeMode,
  kChangeOwner,
  kChangeLinkOwner,
  kReadLink,
  kRealPath,
  kMakeDirectory,
  kRemoveDirectory,
  kUnlink,
  kRename,
  kLink,
  kSymbolicLink,
  kMakeTemporary,
};

// Each returns 0, -errno, or kUnsupported where node:fs has to raise the error, and may do all of it over
// again.

struct MakeDirectoryJob final : PathJob {
  MakeDirectoryJob(std::string path, mode_t mode) : PathJob(std::move(path)), mode(mode) {}
  int32_t run() override;
  const mode_t mode;
};

// With all that is missing above it. `found` is the first one made, or empty.
struct MakeDirectoriesJob final : TextJob {
  MakeDirectoriesJob(std::string path, mode_t mode) : TextJob(std::move(path)), mode(mode) {}
  int32_t run() override;
  const mode_t mode;
};

struct RemoveDirectoryJob final : PathJob {
  using PathJob::PathJob;
  int32_t run() override;
};

struct UnlinkJob final : PathJob {
  using PathJob::PathJob;
  int32_t run() override;
};

struct TruncateJob final : PathJob {
  TruncateJob(std::string path, int64_t length) : PathJob(std::move(path)), length(length) {}
  int32_t run() override;
  const int64_t length;
};

struct ChangeModeJob final : PathJob {
  ChangeModeJob(std::string path, mode_t mode) : PathJob(std::move(path)), mode(mode) {}
  int32_t run() override;
  const mode_t mode;
};

struct ChangeOwnerJob final : PathJob {
  ChangeOwnerJob(std::string path, uid_t user, gid_t group, bool follow)
      : PathJob(std::move(path)), user(user), group(group), follow(follow) {}
  int32_t run() override;
  const uid_t user;
  const gid_t group;
  const bool follow;  // false: of a symbolic link itself
};

// `found` is the text of the link.
struct ReadLinkJob final : TextJob {
  using TextJob::TextJob;
  int32_t run() override;
};

// `found` is the path without links.
struct RealPathJob final : TextJob {
  using TextJob::TextJob;
  int32_t run() override;
};

struct RenameJob final : PathJob {
  RenameJob(std::string path, std::string target) : PathJob(std::move(path)), target(std::move(target)) {}
  int32_t run() override;
  PathPair paths() const override { return {path, target}; }
  const std::string target;
};

// A second name, `target`, for what is at `path`.
struct LinkJob final : PathJob {
  LinkJob(std::string path, std::string target) : PathJob(std::move(path)), target(std::move(target)) {}
  int32_t run() override;
  PathPair paths() const override { return {path, target}; }
  const std::string target;
};

// A link at `path` with this text, which may lead anywhere or nowhere.
struct SymbolicLinkJob final : PathJob {
  SymbolicLinkJob(std::string text, std::string path) : PathJob(std::move(path)), text(std::move(text)) {}
  int32_t run() override;
  const std::string text;
};

// A new directory: `found` is the path, which is a template with six X at its end.
struct MakeTemporaryJob final : TextJob {
  using TextJob::TextJob;
  int32_t run() override;
};

struct SetTimesJob final : PathJob {
  SetTimesJob(std::string path, const FileTimes& times, bool follow)
      : PathJob(std::move(path)), times(times), follow(follow) {}
  int32_t run() override;
  const FileTimes times;
  const bool follow;  // false: of a symbolic link itself
};

// Of the filesystem that the path is on.
struct StatFilesystemJob final : PathJob {
  using PathJob::PathJob;
  int32_t run() override;
  struct statfs status = {};
};

}  // namespace ioengine
