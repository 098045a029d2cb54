#include "binding/path_calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstring>
#include <string>

#include "backend/path_job.h"
#include "base/check.h"
#include "binding/arguments.h"
#include "binding/environment.h"

namespace ioengine {
namespace {

// The path as the kernel takes it. Its length is limited by PATH_MAX (4,096 bytes); a longer one, and one
// with a NUL in it, is node's to judge.
class Path {
 public:
  Path(napi_env env, napi_value value) {
    if (napi_get_value_string_utf8(env, value, text_, sizeof(text_), &size_) != napi_ok)
      read_bytes(env, value);
    // What does not fit is cut, in front of a character of up to four bytes.
    usable_ = size_ < sizeof(text_) - 4 && std::memchr(text_, 0, size_) == nullptr;
    if (usable_) text_[size_] = 0;
  }
  bool usable() const { return usable_; }
  const char* text() const { return text_; }

 private:
  void read_bytes(napi_env env, napi_value value) {
    void* data = nullptr;
    size_ = sizeof(text_);
    size_t size = 0;
    if (napi_get_buffer_info(env, value, &data, &size) != napi_ok || size >= sizeof(text_)) return;
    size_ = size;
    std::memcpy(text_, data, size);
  }
  char text_[4096 + 8];
  size_t size_ = 0;
  bool usable_ = false;
};

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

enum PathFlag : int32_t { kPathCallback = 1, kPathWhole = 2, kPathNoFollow = 4 };  // src/native/addon.ts

uint32_t request_flags(int32_t flags) { return (flags & kPathCallback) != 0 ? kFlagCallback : 0u; }

void show(Environment* environment, const struct statx& status, int32_t flags) {
  PathCall* call = environment->path_call();
  if ((flags & kPathWhole) != 0) {
    fill(status, call->integers);
  } else {
    fill(status, call->numbers);
  }
}

// setPathCall(arrayBuffer): once, before the first of the others
napi_value set_path_call(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  IOE_CHECK(in.environment->set_path_call(in.values[0]));
  return nullptr;
}

// stat(path, pathFlags): an answer of 0 means that the numbers are in the PathCall
napi_value stat_path_call(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  const Path path(env, in.values[0]);
  if (!path.usable()) return number(env, kNotTaken);
  const int32_t flags = in.int32(1);
  struct statx status;
  const int32_t result = in.environment->context()->stat(path.text(), (flags & kPathNoFollow) == 0,
                                                         request_flags(flags), &status);
  if (result == 0) show(in.environment, status, flags);
  return answer(in.environment, result);
}

// fstat(fd, pathFlags, requestFlags): the same for a descriptor
napi_value stat_descriptor_call(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  struct statx status;
  const int32_t result = in.environment->context()->stat_descriptor(in.int32(0), in.uint32(2), &status);
  if (result == 0) show(in.environment, status, in.int32(1));
  return answer(in.environment, result);
}

// access(path, mode, pathFlags)
napi_value access_call(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  const Path path(env, in.values[0]);
  if (!path.usable()) return number(env, kNotTaken);
  return answer(in.environment,
                in.environment->context()->access(path.text(), in.int32(1), request_flags(in.int32(2))));
}

// takeStat(slot, pathFlags): the numbers of a request that is being delivered, into the PathCall
napi_value take_stat(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  show(in.environment, in.environment->context()->answer_of(in.uint32(0))->status, in.int32(1));
  return nullptr;
}

// setScratch(arrayBuffer): memory for a small file, once before the first readFile
napi_value set_scratch(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  IOE_CHECK(in.environment->set_scratch(in.values[0]));
  return nullptr;
}

// readFile(path, pathFlags): an answer of 0 and more is the size of the file, which is in the scratch memory
napi_value read_file_call(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  const Path path(env, in.values[0]);
  if (!path.usable()) return number(env, kNotTaken);
  return answer(in.environment, in.environment->context()->read_file(path.text(), request_flags(in.int32(1)),
                                                                     in.environment->scratch()));
}

// takeFile(slot): of a readFile that is being delivered, its content in a Buffer, or its open descriptor,
// which is the caller's from now on
napi_value take_file(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  WholeFile* file = in.environment->context()->answer_of(in.uint32(0))->file.get();
  if (file->is_open()) {
    const int fd = file->fd;
    file->fd = -1;
    fcntl(fd, F_SETFL, 0);  // O_NONBLOCK, where the inline lane has opened it
    in.environment->context()->adopt(fd, file->facts);
    return number(env, fd);
  }
  napi_value buffer;
  if (napi_create_buffer_copy(env, file->bytes, file->content.get(), nullptr, &buffer) != napi_ok)
    return nullptr;
  file->drop_content();
  return buffer;
}

}  // namespace

void define_path_calls(Environment* environment, napi_value exports) {
  const struct {
    const char* name;
    napi_callback function;
  } kFunctions[] = {
      {"setPathCall", set_path_call}, {"stat", stat_path_call}, {"fstat", stat_descriptor_call},
      {"access", access_call},        {"takeStat", take_stat},  {"setScratch", set_scratch},
      {"readFile", read_file_call},   {"takeFile", take_file},
  };
  napi_env env = environment->env();
  for (const auto& entry : kFunctions) {
    napi_value function;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.function, environment, &function);
    napi_set_named_property(env, exports, entry.name, function);
  }
}

}  // namespace ioengine
