#include "binding/path_calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstring>
#include <string>

#include "base/check.h"
#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/path_argument.h"
#include "jobs/read_file.h"
#include "jobs/stat_path.h"

namespace ioengine {
namespace {

template <typename Number>
void fill(const struct statx& status, Number* numbers) {
  const auto put = [&numbers](uint64_t value) { *numbers++ = static_cast<Number>(value); };
  put(makedev(status.stx_dev_major, status.stx_dev_minor));
  put(status.stx_mode);
  put(status.stx_nlink);
  put(status.stx_uid);
  put(status.stx_gid);
  put(makedev(status.stx_rdev_major, status.stx_rdev_minor));
  put(status.stx_blksize);
  put(status.stx_ino);
  put(status.stx_size);
  put(status.stx_blocks);
  for (const auto& time : {status.stx_atime, status.stx_mtime, status.stx_ctime, status.stx_btime}) {
    *numbers++ = static_cast<Number>(time.tv_sec);  // before 1970: negative
    *numbers++ = static_cast<Number>(time.tv_nsec);
  }
}

void show(Environment* environment, const struct statx& status, int32_t flags) {
  PathCall* call = environment->path_call();
  if ((flags & kPathBigInt) != 0) {
    fill(status, call->integers);
  } else {
    fill(status, call->numbers);
  }
}

// stat(path, pathFlags): 0 means that the numbers are in the PathCall
napi_value stat_path_call(const Arguments<2>& in) {
  const Path path(in.env, in.values[0]);
  if (!path.usable()) return number(in.env, kUnsupported);
  const int32_t flags = in.int32(1);
  struct statx status;
  const int32_t result = in.environment->context()->stat(path.text(), (flags & kPathNoFollow) == 0,
                                                         request_flags(flags), &status);
  if (result == 0) show(in.environment, status, flags);
  return answer(in.environment, result, request_flags(flags));
}

// fstat(fd, pathFlags, requestFlags): the same for a descriptor
napi_value stat_descriptor_call(const Arguments<3>& in) {
  struct statx status;
  const int32_t result = in.environment->context()->stat_descriptor(in.int32(0), in.flags(2), &status);
  if (result == 0) show(in.environment, status, in.int32(1));
  return answer(in.environment, result, in.flags(2));
}

// access(path, mode, pathFlags)
napi_value access_call(const Arguments<3>& in) {
  const Path path(in.env, in.values[0]);
  if (!path.usable()) return number(in.env, kUnsupported);
  return answer(in.environment,
                in.environment->context()->access(path.text(), in.int32(1), request_flags(in.int32(2))),
                request_flags(in.int32(2)));
}

// takeStat(slot, pathFlags): the numbers of a request that is being delivered, into the PathCall
napi_value take_stat(const Arguments<2>& in) {
  const auto* job = delivered_job<StatJob>(in);
  if (job != nullptr) show(in.environment, job->status, in.int32(1));
  return nullptr;
}

// readFile(path, pathFlags): 0 and more is the size of the file, which is in the scratch memory
napi_value read_file_call(const Arguments<2>& in) {
  const Path path(in.env, in.values[0]);
  const uint32_t flags = request_flags(in.int32(1));
  // With a callback nothing is answered before the call returns.
  const bool has_memory = in.environment->scratch() != nullptr || (flags & kFlagCallback) != 0;
  if (!path.usable() || !has_memory) return number(in.env, kUnsupported);
  return answer(in.environment,
                in.environment->context()->read_file(path.text(), flags, in.environment->scratch()), flags);
}

bool is_ascii(const char* text, size_t size) {
  uint64_t high = 0;
  for (; size >= sizeof(uint64_t); text += sizeof(uint64_t), size -= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text, sizeof(word));
    high |= word;
  }
  while (size-- > 0) high |= static_cast<unsigned char>(*text++);
  return (high & 0x8080808080808080u) == 0;
}

napi_value content_of(const Arguments<2>& in, const WholeFile& file) {
  napi_value content;
  if (in.int32(1) != 0 && is_ascii(file.content.get(), file.bytes)) {
    if (napi_create_string_latin1(in.env, file.content.get(), file.bytes, &content) == napi_ok)
      return content;
  }
  const napi_status status =
      napi_create_buffer_copy(in.env, file.bytes, file.content.get(), nullptr, &content);
  return status == napi_ok ? content : nullptr;
}

// takeFile(slot, asText): of a readFile that is being delivered, its content in a Buffer, or in a string
// where that is wanted and all of it is ASCII; or its open descriptor, which is the caller's from now on
napi_value take_file(const Arguments<2>& in) {
  const auto* job = delivered_job<ReadFileJob>(in);
  WholeFile* file = job != nullptr ? job->file.get() : nullptr;
  if (file == nullptr) return nullptr;
  if (file->is_open()) {
    const int fd = file->fd;
    file->fd = -1;
    fcntl(fd, F_SETFL, 0);  // O_NONBLOCK, where the inline lane has opened it
    in.environment->context()->adopt(fd, file->facts);
    return number(in.env, fd);
  }
  const napi_value content = content_of(in, *file);
  if (content != nullptr) file->drop_content();
  return content;
}

// beginFirstLook(path): node:fs is called to watch it; the number that endFirstLook takes
napi_value begin_first_look(const Arguments<1>& in) {
  const Path path(in.env, in.values[0]);
  if (!path.usable()) return number(in.env, 0);
  return number(in.env,
                in.environment->context()->begin_first_look(std::make_unique<FirstLookJob>(path.text())));
}

// endFirstLook(look): node has looked
napi_value end_first_look(const Arguments<1>& in) {
  IoContext* context = in.environment->context();
  context->end_first_look(in.int32(0));
  if (context->has_undelivered()) in.environment->touched();
  return nullptr;
}

// pathsChangeElsewhere(): node:fs is called for an operation that changes paths
napi_value paths_change_elsewhere(const Arguments<1>& in) {
  in.environment->context()->paths_change_elsewhere();
  return nullptr;
}

}  // namespace

void define_path_calls(Environment* environment, napi_value exports) {
  const NamedFunction kFunctions[] = {
      {"stat", when_started<stat_path_call>},
      {"fstat", when_started<stat_descriptor_call>},
      {"access", when_started<access_call>},
      {"takeStat", when_started<take_stat>},
      {"readFile", when_started<read_file_call>},
      {"takeFile", when_started<take_file>},
      {"beginFirstLook", when_started<begin_first_look>},
      {"endFirstLook", when_started<end_first_look>},
      {"pathsChangeElsewhere", when_started<paths_change_elsewhere>},
  };
  define_functions(environment, exports, kFunctions);
}

}  // namespace ioengine
