// Attributes by path and of open files that go to the pool always: times, modes and owners, filesystems; and
// copies of single files, which take attributes along.

#include <memory>
#include <utility>

#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/path_argument.h"
#include "binding/path_calls.h"
#include "binding/pool_calls.h"
#include "jobs/copy_one_file.h"
#include "jobs/descriptor_syscalls.h"
#include "jobs/path_syscalls.h"

namespace ioengine {
namespace {

template <size_t N>
napi_value accept(const Arguments<N>& in, std::unique_ptr<DescriptorJob> job, uint32_t flags) {
  return answer(in.environment, in.environment->context()->set_attributes(in.int32(0), std::move(job), flags),
                flags);
}

// setTimes(path, accessed, modified, inMicroseconds, pathFlags)
napi_value set_times(const Arguments<5>& in) {
  const Path path(in.env, in.values[0]);
  if (!path.usable()) return number(in.env, kUnsupported);
  const int32_t flags = in.int32(4);
  const FileTimes times(in.real(1), in.real(2), in.int32(3) != 0);
  return accept(in, Operation::kChangePath,
                std::make_unique<SetTimesJob>(path.text(), times, (flags & kPathNoFollow) == 0), flags);
}

// setDescriptorTimes(fd, accessed, modified, inMicroseconds, flags)
napi_value set_descriptor_times(const Arguments<5>& in) {
  const FileTimes times(in.real(1), in.real(2), in.int32(3) != 0);
  return accept(in, std::make_unique<SetDescriptorTimesJob>(times), in.flags(4));
}

// setDescriptorMode(fd, mode, flags)
napi_value set_descriptor_mode(const Arguments<3>& in) {
  return accept(in, std::make_unique<ChangeDescriptorModeJob>(in.uint32(1)), in.flags(2));
}

// setDescriptorOwner(fd, user, group, flags)
napi_value set_descriptor_owner(const Arguments<4>& in) {
  return accept(in, std::make_unique<ChangeDescriptorOwnerJob>(in.uint32(1), in.uint32(2)), in.flags(3));
}

// copyFile(path, target, options, pathFlags)
napi_value copy_file(const Arguments<4>& in) {
  const Path path(in.env, in.values[0]);
  const Path target(in.env, in.values[1]);
  if (!path.usable() || !target.usable()) return number(in.env, kUnsupported);
  return accept(in, Operation::kCopyFile,
                std::make_unique<CopyFileJob>(path.text(), target.text(), in.int32(2)), in.int32(3));
}

// statFilesystem(path, pathFlags)
napi_value stat_filesystem(const Arguments<2>& in) {
  const Path path(in.env, in.values[0]);
  if (!path.usable()) return number(in.env, kUnsupported);
  return accept(in, Operation::kStatFilesystem, std::make_unique<StatFilesystemJob>(path.text()),
                in.int32(1));
}

template <typename Number>
void fill(const struct statfs& status, Number* numbers) {
  *numbers++ = static_cast<Number>(status.f_type);
  *numbers++ = static_cast<Number>(status.f_bsize);
  *numbers++ = static_cast<Number>(status.f_frsize);
  *numbers++ = static_cast<Number>(status.f_blocks);
  *numbers++ = static_cast<Number>(status.f_bfree);
  *numbers++ = static_cast<Number>(status.f_bavail);
  *numbers++ = static_cast<Number>(status.f_files);
  *numbers++ = static_cast<Number>(status.f_ffree);
}

// takeFilesystem(slot, pathFlags): what a request which is being delivered has found, into the PathCall:
// type, size of a block, size of a fragment, blocks in all, free and free for everyone, files in all and free
napi_value take_filesystem(const Arguments<2>& in) {
  const auto* job = delivered_job<StatFilesystemJob>(in);
  if (job == nullptr) return nullptr;
  PathCall* call = in.environment->path_call();
  if ((in.int32(1) & kPathBigInt) != 0) {
    fill(job->status, call->integers);
  } else {
    fill(job->status, call->numbers);
  }
  return nullptr;
}

}  // namespace

void define_attribute_calls(Environment* environment, napi_value exports) {
  const NamedFunction kFunctions[] = {
      {"setTimes", when_started<set_times>},
      {"setDescriptorTimes", when_started<set_descriptor_times>},
      {"setDescriptorMode", when_started<set_descriptor_mode>},
      {"setDescriptorOwner", when_started<set_descriptor_owner>},
      {"copyFile", when_started<copy_file>},
      {"statFilesystem", when_started<stat_filesystem>},
      {"takeFilesystem", when_started<take_filesystem>},
  };
  define_functions(environment, exports, kFunctions);
}

}  // namespace ioengine
