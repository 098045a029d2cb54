// Calls that node:fs serves, in their turn among those of the engine (scheduler/host_calls.cc).

#include <memory>
#include <string>
#include <utility>

#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/path_argument.h"
#include "binding/path_calls.h"

namespace ioengine {
namespace {

HostCall kind_of(int32_t number) {
  const bool known = number >= 0 && number <= static_cast<int32_t>(HostCall::kFirstLook);
  return known ? static_cast<HostCall>(number) : HostCall::kReads;
}

// beginHostCall(path, target, kind, pathFlags); target: undefined where there is one path
napi_value begin_host_call(const Arguments<4>& in) {
  const Path path(in.env, in.values[0]);
  if (!path.usable()) return number(in.env, kUnsupported);
  std::string second;
  napi_valuetype type = napi_undefined;
  if (napi_typeof(in.env, in.values[1], &type) == napi_ok && type != napi_undefined) {
    const Path target(in.env, in.values[1]);
    if (!target.usable()) return number(in.env, kUnsupported);
    second = target.text();
  }
  auto job = std::make_unique<HostCallJob>(path.text(), std::move(second));
  const uint32_t flags = request_flags(in.int32(3));
  IoContext* context = in.environment->context();
  return answer(in.environment, context->begin_host_call(std::move(job), kind_of(in.int32(2)), flags), flags);
}

// beginHostCallOn(fd, flags)
napi_value begin_host_call_on(const Arguments<2>& in) {
  const uint32_t flags = in.flags(1);
  return answer(in.environment, in.environment->context()->begin_host_call(in.int32(0), flags), flags);
}

// endHostCall(turn): node has called back
napi_value end_host_call(const Arguments<1>& in) {
  IoContext* context = in.environment->context();
  context->end_host_call(in.int32(0));
  if (context->has_undelivered()) in.environment->touched();
  return nullptr;
}

// pathsChangeElsewhere(): node:fs is called for an operation that changes paths
napi_value paths_change_elsewhere(const Arguments<1>& in) {
  in.environment->context()->paths_change_elsewhere();
  return nullptr;
}

}  // namespace

void define_host_calls(Environment* environment, napi_value exports) {
  const NamedFunction kFunctions[] = {
      {"beginHostCall", when_started<begin_host_call>},
      {"beginHostCallOn", when_started<begin_host_call_on>},
      {"endHostCall", when_started<end_host_call>},
      {"pathsChangeElsewhere", when_started<paths_change_elsewhere>},
  };
  define_functions(environment, exports, kFunctions);
}

}  // namespace ioengine
