// Operations on paths that go to the pool always: they change the disk, or read it in any case.

#include <memory>
#include <string>
#include <utility>

#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/path_argument.h"
#include "binding/path_calls.h"
#include "binding/pool_calls.h"
#include "jobs/copy_tree.h"
#include "jobs/path_syscalls.h"
#include "jobs/read_directory.h"
#include "jobs/read_tree.h"
#include "jobs/remove_tree.h"
#include "jobs/write_file.h"

namespace ioengine {
namespace {

// A text of any length, with NULs in it.
bool take_string(napi_env env, napi_value value, std::string* text) {
  size_t size = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &size) != napi_ok) return false;
  text->resize(size);
  return napi_get_value_string_utf8(env, value, text->data(), size + 1, &size) == napi_ok;
}

// writeFile(path, bytes, openFlags, mode, sync, pathFlags)
napi_value write_file_call(const Arguments<6>& in) {
  const Path path(in.env, in.values[0]);
  void* data = nullptr;
  size_t size = 0;
  if (!path.usable() || napi_get_buffer_info(in.env, in.values[1], &data, &size) != napi_ok)
    return number(in.env, kUnsupported);
  auto job = std::make_unique<WriteFileJob>(path.text());
  job->data = static_cast<const char*>(data);
  job->size = size;
  job->flags = in.int32(2);
  job->mode = in.uint32(3);
  job->sync = in.int32(4) != 0;
  return accept(in, Operation::kWriteFile, std::move(job), in.int32(5));
}

// takeWrite(slot): of a writeFile that has stopped, its descriptor, which is the caller's from now on, or -1;
// the step that failed; and -errno. Into the PathCall.
napi_value take_write(const Arguments<1>& in) {
  auto* job = delivered_job<WriteFileJob>(in);
  if (job == nullptr) return nullptr;
  const int fd = job->file.release();
  if (fd >= 0) in.environment->context()->adopt(fd, job->facts);
  double* numbers = in.environment->path_call()->numbers;
  numbers[0] = fd;
  numbers[1] = static_cast<double>(job->failed);
  numbers[2] = job->error;
  return nullptr;
}

// readDirectory(path, withTypes, pathFlags)
napi_value read_directory_call(const Arguments<3>& in) {
  const Path path(in.env, in.values[0]);
  if (!path.usable()) return number(in.env, kUnsupported);
  auto job = std::make_unique<ReadDirectoryJob>(path.text(), in.int32(1) != 0);
  return accept(in, Operation::kReadDirectory, std::move(job), in.int32(2));
}

// readTree(path, options, below, pathFlags)
napi_value read_tree_call(const Arguments<4>& in) {
  const Path path(in.env, in.values[0]);
  std::string below;
  if (!path.usable() || !take_string(in.env, in.values[2], &below)) return number(in.env, kUnsupported);
  auto job = std::make_unique<ReadTreeJob>(path.text(), in.int32(1), std::move(below));
  return accept(in, Operation::kReadTree, std::move(job), in.int32(3));
}

// copyTree(path, target, options, pathFlags)
napi_value copy_tree_call(const Arguments<4>& in) {
  const Path path(in.env, in.values[0]);
  const Path target(in.env, in.values[1]);
  if (!path.usable() || !target.usable()) return number(in.env, kUnsupported);
  auto job = std::make_unique<CopyTreeJob>(path.text(), target.text(), in.int32(2));
  return accept(in, Operation::kCopyTree, std::move(job), in.int32(3));
}

// removeTree(path, recursive, force, pathFlags)
napi_value remove_tree_call(const Arguments<4>& in) {
  const Path path(in.env, in.values[0]);
  if (!path.usable()) return number(in.env, kUnsupported);
  auto job = std::make_unique<RemoveTreeJob>(path.text(), in.int32(1) != 0, in.int32(2) != 0);
  return accept(in, Operation::kRemoveTree, std::move(job), in.int32(3));
}

// `first` and `second` are what the call needs: a mode, a length, or a user and a group.
std::unique_ptr<PathJob> job_of(PathSyscall call, const char* path, int64_t first, int64_t second) {
  const auto mode = static_cast<mode_t>(first);
  const auto user = static_cast<uid_t>(first);
  const auto group = static_cast<gid_t>(second);
  switch (call) {
    case PathSyscall::kMakeDirectories:
      return std::make_unique<MakeDirectoriesJob>(path, mode);
    case PathSyscall::kTruncate:
      return std::make_unique<TruncateJob>(path, first);
    case PathSyscall::kChangeMode:
      return std::make_unique<ChangeModeJob>(path, mode);
    case PathSyscall::kChangeOwner:
      return std::make_unique<ChangeOwnerJob>(path, user, group, true);
    case PathSyscall::kChangeLinkOwner:
      return std::make_unique<ChangeOwnerJob>(path, user, group, false);
    case PathSyscall::kReadLink:
      return std::make_unique<ReadLinkJob>(path);
    case PathSyscall::kRealPath:
      return std::make_unique<RealPathJob>(path);
    case PathSyscall::kMakeDirectory:
      return std::make_unique<MakeDirectoryJob>(path, mode);
    case PathSyscall::kRemoveDirectory:
      return std::make_unique<RemoveDirectoryJob>(path);
    case PathSyscall::kUnlink:
      return std::make_unique<UnlinkJob>(path);
    case PathSyscall::kMakeTemporary:
      return std::make_unique<MakeTemporaryJob>(path);
    default:
      return nullptr;
  }
}

// Of two paths.
std::unique_ptr<PathJob> job_of(PathSyscall call, const char* path, const char* target) {
  switch (call) {
    case PathSyscall::kRename:
      return std::make_unique<RenameJob>(path, target);
    case PathSyscall::kLink:
      return std::make_unique<LinkJob>(path, target);
    case PathSyscall::kSymbolicLink:
      return std::make_unique<SymbolicLinkJob>(path, target);
    default:
      return nullptr;
  }
}

// changePath(call, path, first, second, pathFlags)
napi_value change_path_call(const Arguments<5>& in) {
  const Path path(in.env, in.values[1]);
  if (!path.usable()) return number(in.env, kUnsupported);
  const auto call = static_cast<PathSyscall>(in.int32(0));
  auto job = job_of(call, path.text(), in.int64(2), in.int64(3));
  if (job == nullptr) return number(in.env, kUnsupported);
  const bool reads = call == PathSyscall::kReadLink || call == PathSyscall::kRealPath;
  return accept(in, reads ? Operation::kReadLink : Operation::kChangePath, std::move(job), in.int32(4));
}

// changePaths(call, path, target, pathFlags)
napi_value change_paths_call(const Arguments<4>& in) {
  const Path path(in.env, in.values[1]);
  const Path target(in.env, in.values[2]);
  if (!path.usable() || !target.usable()) return number(in.env, kUnsupported);
  auto job = job_of(static_cast<PathSyscall>(in.int32(0)), path.text(), target.text());
  if (job == nullptr) return number(in.env, kUnsupported);
  return accept(in, Operation::kChangePath, std::move(job), in.int32(3));
}

// takeFound(slot): the bytes that a request which is being delivered has found
napi_value take_found(const Arguments<1>& in) {
  const auto* job = delivered_job<TextJob>(in);
  if (job == nullptr) return nullptr;
  const std::string& found = job->found;
  napi_value buffer;
  if (napi_create_buffer_copy(in.env, found.size(), found.data(), nullptr, &buffer) != napi_ok)
    return nullptr;
  return buffer;
}

// takeText(slot): the same as a string
napi_value take_text(const Arguments<1>& in) {
  const auto* job = delivered_job<TextJob>(in);
  return job != nullptr ? string(in.env, job->found) : nullptr;
}

// takeLeft(slot): the directories that a readTree leaves to the next one, each with a NUL behind it
napi_value take_left(const Arguments<1>& in) {
  const auto* job = delivered_job<ReadTreeJob>(in);
  return job != nullptr ? string(in.env, job->left) : nullptr;
}

// takeModes(slot): [{ path, mode, complete }], what a copyTree that has stopped leaves to be set
napi_value take_modes(const Arguments<1>& in) {
  const auto* job = delivered_job<CopyTreeJob>(in);
  napi_value list;
  if (job == nullptr || napi_create_array_with_length(in.env, job->modes.size(), &list) != napi_ok)
    return nullptr;
  for (size_t i = 0; i < job->modes.size(); ++i) {
    const CopyTreeJob::DirectoryMode& directory = job->modes[i];
    napi_value entry;
    if (napi_create_object(in.env, &entry) != napi_ok) return nullptr;
    napi_set_named_property(in.env, entry, "path", string(in.env, directory.path));
    napi_set_named_property(in.env, entry, "mode", number(in.env, static_cast<int32_t>(directory.mode)));
    napi_set_named_property(in.env, entry, "complete", boolean(in.env, directory.is_complete));
    napi_set_element(in.env, list, static_cast<uint32_t>(i), entry);
  }
  return list;
}

}  // namespace

void define_change_calls(Environment* environment, napi_value exports) {
  const NamedFunction kFunctions[] = {
      {"writeFile", when_started<write_file_call>},
      {"takeWrite", when_started<take_write>},
      {"readDirectory", when_started<read_directory_call>},
      {"readTree", when_started<read_tree_call>},
      {"copyTree", when_started<copy_tree_call>},
      {"removeTree", when_started<remove_tree_call>},
      {"changePath", when_started<change_path_call>},
      {"changePaths", when_started<change_paths_call>},
      {"takeFound", when_started<take_found>},
      {"takeText", when_started<take_text>},
      {"takeLeft", when_started<take_left>},
      {"takeModes", when_started<take_modes>},
  };
  define_functions(environment, exports, kFunctions);
}

}  // namespace ioengine
