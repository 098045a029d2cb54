// opendir: open directories, which JavaScript knows by numbers.

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/path_argument.h"
#include "binding/path_calls.h"
#include "binding/pool_calls.h"
#include "jobs/directory_stream.h"

namespace ioengine {
namespace {

size_t at_least_one(int32_t count) { return count > 0 ? static_cast<size_t>(count) : 1; }

// openDirectory(path, pathFlags)
napi_value open_directory(const Arguments<2>& in) {
  const Path path(in.env, in.values[0]);
  if (!path.usable()) return number(in.env, kUnsupported);
  return accept(in, Operation::kOpenDirectory, std::make_unique<OpenDirectoryJob>(path.text()), in.int32(1));
}

// takeDirectory(slot): the number of what a request which is being delivered has opened, or -1
napi_value take_directory(const Arguments<1>& in) {
  auto* job = delivered_job<OpenDirectoryJob>(in);
  if (job == nullptr || job->stream == nullptr) return number(in.env, -1);
  return number(in.env, in.environment->directories().add(std::move(job->stream)));
}

// readEntries(directory, most, exact, pathFlags)
napi_value read_entries(const Arguments<4>& in) {
  auto stream = in.environment->directories().find(in.int32(0));
  if (stream == nullptr) return answer(in.environment, -EBADF, request_flags(in.int32(3)));
  auto job = std::make_unique<ReadEntriesJob>(std::move(stream), at_least_one(in.int32(1)), in.int32(2) != 0);
  return accept(in, Operation::kReadEntries, std::move(job), in.int32(3));
}

// readEntriesNow(directory, most, exact): the same on this thread: a Buffer, or -errno
napi_value read_entries_now(const Arguments<3>& in) {
  const auto stream = in.environment->directories().find(in.int32(0));
  std::string text;
  const int32_t result =
      stream != nullptr ? stream->read(at_least_one(in.int32(1)), in.int32(2) != 0, &text) : -EBADF;
  if (result < 0) return number(in.env, result);
  napi_value buffer;
  if (napi_create_buffer_copy(in.env, text.size(), text.data(), nullptr, &buffer) != napi_ok) return nullptr;
  return buffer;
}

// closeDirectory(directory, pathFlags): the number stands for nothing any more
napi_value close_directory(const Arguments<2>& in) {
  auto stream = in.environment->directories().take(in.int32(0));
  if (stream == nullptr) return answer(in.environment, -EBADF, request_flags(in.int32(1)));
  return accept(in, Operation::kReadEntries, std::make_unique<CloseDirectoryJob>(std::move(stream)),
                in.int32(1));
}

// closeDirectoryNow(directory): the same on this thread: 0 or -errno
napi_value close_directory_now(const Arguments<1>& in) {
  const auto stream = in.environment->directories().take(in.int32(0));
  return number(in.env, stream != nullptr ? stream->close() : -EBADF);
}

}  // namespace

void define_directory_calls(Environment* environment, napi_value exports) {
  const NamedFunction kFunctions[] = {
      {"openDirectory", when_started<open_directory>},
      {"takeDirectory", when_started<take_directory>},
      {"readEntries", when_started<read_entries>},
      {"readEntriesNow", when_started<read_entries_now>},
      {"closeDirectory", when_started<close_directory>},
      {"closeDirectoryNow", when_started<close_directory_now>},
  };
  define_functions(environment, exports, kFunctions);
}

}  // namespace ioengine
