// Operations, lanes and backend types: the vocabulary that the scheduler and the backends share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ioengine {

enum class Operation : uint8_t {
#define IOE_OPERATION(Name, name, inline_lane, uring_lane, aio_lane, reason) k##Name,
#include "backend/operations.def"
#undef IOE_OPERATION
  kFirstLook,   // no operation of the engine: a watcher looks at its file (scheduler/first_look.cc)
  kReadMounts,  // the engine's own: the list of mounts, in the pool (jobs/mount_list.h)
};

constexpr size_t kOperationCount = 0
#define IOE_OPERATION(Name, name, inline_lane, uring_lane, aio_lane, reason) +1
#include "backend/operations.def"
#undef IOE_OPERATION
    ;

const char* operation_name(Operation operation);

// Where an operation was served; stats() counts each.
enum class Lane : uint8_t { kInline, kUring, kAio, kThreads };
constexpr size_t kLaneCount = 4;

enum class BackendType : uint8_t { kUring, kAio, kThreads, kMock };

const char* backend_type_name(BackendType type);

// Whether losing the operation at exit would lose work (H28).
// A close changes nothing: a process or thread that ends does it, too.
inline bool changes_file(Operation operation) {
  switch (operation) {
    case Operation::kClose:
    case Operation::kRead:
    case Operation::kStat:
    case Operation::kAccess:
    case Operation::kReadFile:
    case Operation::kReadDirectory:
    case Operation::kReadTree:
    case Operation::kReadLink:
    case Operation::kStatFilesystem:
    case Operation::kOpenDirectory:
    case Operation::kReadEntries:
    case Operation::kStatx:
    case Operation::kFirstLook:
    case Operation::kReadMounts:
      return false;
    default:
      return true;
  }
}

// Whether a path may lead to something else, or to another content, once the operation has run. An open
// does so only by its flags.
inline bool changes_paths(Operation operation) {
  switch (operation) {
    case Operation::kWriteFile:
    case Operation::kCopyTree:
    case Operation::kRemoveTree:
    case Operation::kChangePath:
      return true;
    default:
      return false;
  }
}

// Whether its job runs in time slices (jobs/resumable_job.h).
inline bool is_resumable(Operation operation) {
  return operation == Operation::kCopyTree || operation == Operation::kCopyFile ||
         operation == Operation::kRemoveTree;
}

inline bool moves_bytes(Operation operation) {
  return operation == Operation::kRead || operation == Operation::kWrite;
}

}  // namespace ioengine
