// Operations on paths that go to the pool always: they change the disk, or read it in any case.

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/path_argument.h"
#include "binding/path_calls.h"
#include "jobs/path_job.h"

namespace ioengine {
namespace {

template <size_t N>
napi_value accept(const Arguments<N>& in, Operation operation, std::unique_ptr<PathJob> job,
                  int32_t path_flags) {
  const uint32_t flags = request_flags(path_flags);
  return answer(in.environment, in.environment->context()->run_in_pool(operation, std::move(job), flags),
                flags);
}

// Null where the number is not that of a request that is being delivered.
PathJob* answer_in(const Arguments<1>& in) { return in.environment->context()->answer_of(in.uint32(0)); }

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
    return number(in.env, kNotTaken);
  auto job = std::make_unique<PathJob>();
  job->path = path.text();
  job->file = std::make_unique<WholeFile>();
  job->write.data = static_cast<const char*>(data);
  job->write.size = size;
  job->write.flags = in.int32(2);
  job->write.mode = in.uint32(3);
  job->write.sync = in.int32(4) != 0;
  return accept(in, Operation::kWriteFile, std::move(job), in.int32(5));
}

// takeWrite(slot): of a writeFile that has stopped, its descriptor, which is the caller's from now on, or -1;
// the step that failed; and -errno. Into the PathCall.
napi_value take_write(const Arguments<1>& in) {
  PathJob* job = answer_in(in);
  if (job == nullptr || job->file == nullptr) return nullptr;
  const int fd = job->file->fd;
  job->file->fd = -1;
  if (fd >= 0) in.environment->context()->adopt(fd, job->file->facts);
  double* numbers = in.environment->path_call()->numbers;
  numbers[0] = fd;
  numbers[1] = static_cast<double>(job->write.failed);
  numbers[2] = job->write.error;
  return nullptr;
}

// readDirectory(path, withTypes, pathFlags)
napi_value read_directory_call(const Arguments<3>& in) {
  const Path path(in.env, in.values[0]);
  if (!path.usable()) return number(in.env, kNotTaken);
  auto job = std::make_unique<PathJob>();
  job->path = path.text();
  job->first = in.int32(1);
  return accept(in, Operation::kReadDirectory, std::move(job), in.int32(2));
}

// readTree(path, withTypes, below, pathFlags)
napi_value read_tree_call(const Arguments<4>& in) {
  const Path path(in.env, in.values[0]);
  auto job = std::make_unique<PathJob>();
  if (!path.usable() || !take_string(in.env, in.values[2], &job->below)) return number(in.env, kNotTaken);
  job->path = path.text();
  job->first = in.int32(1);
  return accept(in, Operation::kReadTree, std::move(job), in.int32(3));
}

// copyTree(path, target, options, pathFlags)
napi_value copy_tree_call(const Arguments<4>& in) {
  const Path path(in.env, in.values[0]);
  const Path target(in.env, in.values[1]);
  if (!path.usable() || !target.usable()) return number(in.env, kNotTaken);
  auto job = std::make_unique<PathJob>();
  job->path = path.text();
  job->target = target.text();
  job->first = in.int32(2);
  return accept(in, Operation::kCopyTree, std::move(job), in.int32(3));
}

// removeTree(path, recursive, force, pathFlags)
napi_value remove_tree_call(const Arguments<4>& in) {
  const Path path(in.env, in.values[0]);
  if (!path.usable()) return number(in.env, kNotTaken);
  auto job = std::make_unique<PathJob>();
  job->path = path.text();
  job->first = in.int32(1);
  job->second = in.int32(2);
  return accept(in, Operation::kRemoveTree, std::move(job), in.int32(3));
}

// changePath(change, path, first, second, pathFlags)
napi_value change_path_call(const Arguments<5>& in) {
  const Path path(in.env, in.values[1]);
  if (!path.usable()) return number(in.env, kNotTaken);
  auto job = std::make_unique<PathJob>();
  job->path = path.text();
  job->change = static_cast<PathChange>(in.int32(0));
  job->first = in.int64(2);
  job->second = in.int64(3);
  const bool reads = job->change == PathChange::kReadLink || job->change == PathChange::kRealPath;
  return accept(in, reads ? Operation::kReadLink : Operation::kChangePath, std::move(job), in.int32(4));
}

// changePaths(change, path, target, pathFlags)
napi_value change_paths_call(const Arguments<4>& in) {
  const Path path(in.env, in.values[1]);
  const Path target(in.env, in.values[2]);
  if (!path.usable() || !target.usable()) return number(in.env, kNotTaken);
  auto job = std::make_unique<PathJob>();
  job->path = path.text();
  job->target = target.text();
  job->change = static_cast<PathChange>(in.int32(0));
  return accept(in, Operation::kChangePath, std::move(job), in.int32(3));
}

// takeFound(slot): the bytes that a request which is being delivered has found
napi_value take_found(const Arguments<1>& in) {
  const PathJob* job = answer_in(in);
  if (job == nullptr) return nullptr;
  const std::string& found = job->found;
  napi_value buffer;
  if (napi_create_buffer_copy(in.env, found.size(), found.data(), nullptr, &buffer) != napi_ok)
    return nullptr;
  return buffer;
}

// takeText(slot): the same as a string
napi_value take_text(const Arguments<1>& in) {
  const PathJob* job = answer_in(in);
  if (job == nullptr) return nullptr;
  const std::string& found = job->found;
  napi_value text;
  if (napi_create_string_utf8(in.env, found.data(), found.size(), &text) != napi_ok) return nullptr;
  return text;
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
  };
  define_functions(environment, exports, kFunctions);
}

}  // namespace ioengine
