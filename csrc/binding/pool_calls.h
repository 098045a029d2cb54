// Calls on paths that go to the pool always.
#pragma once

#include <memory>
#include <utility>

#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/path_argument.h"

namespace ioengine {

template <size_t N>
napi_value accept(const Arguments<N>& in, Operation operation, std::unique_ptr<PathJob> job,
                  int32_t path_flags) {
  const uint32_t flags = request_flags(path_flags);
  return answer(in.environment, in.environment->context()->run_in_pool(operation, std::move(job), flags),
                flags);
}

}  // namespace ioengine
