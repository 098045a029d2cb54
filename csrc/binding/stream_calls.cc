#include "binding/stream_calls.h"

#include "binding/arguments.h"
#include "binding/environment.h"
#include "scheduler/file_stamp.h"

namespace ioengine {
namespace {

napi_value position(napi_env env, off_t value) {
  napi_value result;
  napi_create_int64(env, value, &result);
  return result;
}

// stamp(fd): 1, or 0 where it would prove nothing; the numbers of the FileStamp go into the PathCall
napi_value stamp(const Arguments<1>& in) {
  FileStamp found;
  if (!in.environment->context()->stamp(in.int32(0), &found)) return number(in.env, 0);
  double* numbers = in.environment->path_call()->numbers;
  numbers[0] = static_cast<double>(found.size);
  numbers[1] = static_cast<double>(found.modified_s);
  numbers[2] = found.modified_ns;
  numbers[3] = static_cast<double>(found.changed_s);
  numbers[4] = found.changed_ns;
  return number(in.env, 1);
}

// filePosition(fd): where the next read(2) begins, or -1
napi_value file_position(const Arguments<1>& in) {
  return position(in.env, in.environment->context()->file_position(in.int32(0)));
}

// claimFilePosition(fd, from, to): 1 where it was `from` and is `to` now
napi_value claim_file_position(const Arguments<3>& in) {
  const bool claimed = in.environment->context()->claim_position(in.int32(0), in.int64(1), in.int64(2));
  return number(in.env, claimed ? 1 : 0);
}

}  // namespace

void define_stream_calls(Environment* environment, napi_value exports) {
  const NamedFunction kFunctions[] = {{"stamp", when_started<stamp>},
                                      {"filePosition", when_started<file_position>},
                                      {"claimFilePosition", when_started<claim_file_position>}};
  define_functions(environment, exports, kFunctions);
}

}  // namespace ioengine
