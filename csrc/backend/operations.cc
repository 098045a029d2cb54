#include "backend/operations.h"

namespace ioengine {

const char* operation_name(Operation operation) {
  static const char* const kNames[] = {
#define IOE_OPERATION(Name, name, inline_lane, uring_lane, aio_lane, reason) #name,
#include "backend/operations.def"
#undef IOE_OPERATION
  };
  return kNames[static_cast<size_t>(operation)];
}

const char* backend_type_name(BackendType type) {
  switch (type) {
    case BackendType::kUring:
      return "uring";
    case BackendType::kAio:
      return "aio";
    case BackendType::kThreads:
      return "threads";
    case BackendType::kMock:
      return "mock";
  }
  return "unknown";
}

}  // namespace ioengine
