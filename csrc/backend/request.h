// One operation on its way through the engine. The scheduler owns every Request; a backend holds a pointer to
// it from submit() until the completion has been reaped, and writes only `backend_data`.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "backend/operations.h"
#include "base/limits.h"

namespace ioengine {

struct Descriptor;
struct Bounce;
struct Staging;
struct OpenJob;
struct PathJob;
class AlignedBlock;

// How an operation shares its descriptor with others (scheduler/descriptor.h has the rules).
enum class Gate : uint8_t {
  kShared,     // positional: any number at once
  kSerial,     // uses the file position, or appends: one at a time, in call order (H27)
  kExclusive,  // nothing else may run on the descriptor: fallback writes that clear O_DIRECT
  kClose,      // exclusive, and the last one: later operations get EBADF (H3)
};

enum RequestFlag : uint32_t {
  kFlagCallback = 1u << 0,         // settled by a callback of its own, not in a batch of promises
  kFlagCurrentPosition = 1u << 1,  // read or write at the file position and move it
  kFlagDirect = 1u << 2,           // the descriptor is O_DIRECT
  kFlagMayWait = 1u << 3,          // data is not known to be cached: never attempt it on the calling thread
  kFlagAppend = 1u << 4,           // the descriptor is O_APPEND: the kernel picks the offset
  kFlagClearDirect = 1u << 5,      // run buffered: O_DIRECT is off while this exclusive write runs
  kFlagInternal = 1u << 6,         // the engine's own (a merged request): nobody waits for it
  kFlagTrusted = 1u << 7,          // the caller owns the descriptor (FileHandle): no identity check
  kFlagSeek = 1u << 8,             // offset came from the file position, which settling moves
  kFlagExpectCached = 1u << 9,     // a batched read that should complete inside submit()
  kFlagAlone = 1u << 10,           // was part of a merged request that failed: never merged again (H31)
  kFlagKeepNumber = 1u << 11,      // a close that leaves the number taken, for node to free (Workers)
};

// What the caller of an accepting function may set.
constexpr uint32_t kCallerFlags = kFlagCallback | kFlagTrusted | kFlagKeepNumber;

struct Request {
  uint32_t slot = 0;
  uint32_t generation = 0;  // odd while accepted; a completion for another generation is a fatal bug

  Operation operation = Operation::kRead;
  Lane lane = Lane::kThreads;
  Gate gate = Gate::kShared;
  uint32_t flags = 0;

  int fd = -1;
  int32_t result = 0;  // set on settling: bytes, descriptor number, 0, or -errno

  uint32_t round = 0;        // when it was submitted (kFlagExpectCached)
  uint32_t check_phase = 0;  // of the event loop, when it was accepted (IoContext::finish)
  uint32_t alignment = 1;    // of offsets and lengths, for O_DIRECT requests
  uint16_t mount_queue = 0;  // of the pool, for a job on a remote mount (threads/job_queues.h); 0: local
  uint16_t suspect = 0;      // the pool's own: the queue of a suspect folder, from 1 on; 0: none
  uint32_t tags = 0;         // of the device, held until its completion (scheduler/device_queues.h)

  uint64_t accepted_ns = 0;  // coarse_monotonic_ns()
  uint64_t call = 0;         // calls on paths: which one it was (scheduler/path_order.h)
  uint64_t before_tick = 0;  // and the last one before its tick
  uint64_t offset = 0;       // of the part still to do
  uint64_t wanted = 0;       // bytes in all
  uint64_t done = 0;         // bytes that earlier attempts moved

  iovec* vectors = nullptr;  // the part still to do; &single or an array this request owns
  uint32_t vector_count = 0;
  bool awaited = false;    // the end of the thread waits for it, if it changes a file: not on a remote mount
  bool nowait = false;     // a direct request that AIO is to refuse rather than wait for (H32)
  bool finished = false;   // its result is there, nothing works on it any more
  bool told = false;       // that it is slow (IoContext::slow_calls)
  bool batchable = false;  // for the pool: a short look-up, of which a thread takes several at once
  bool holds_all_memory = false;  // `block` or `blocks` hold every vector's memory
  iovec single = {nullptr, 0};

  Request* next = nullptr;    // queue link: a request is in at most one queue
  Request* parts = nullptr;   // of a merged request: those that it was made of, linked through `next`
  Request* behind = nullptr;  // calls on paths that start when this one has settled, linked through `next`
  Request* last_behind = nullptr;  // of these, where there are any
  Descriptor* descriptor = nullptr;

  // What the request owns, null in most cases; Slots::give_back frees it.
  iovec* owned_vectors = nullptr;
  Bounce* bounce = nullptr;    // aligned stand-in for an O_DIRECT operation on unaligned memory or offsets
  Staging* staging = nullptr;  // our own memory under a read that may wait
  OpenJob* open = nullptr;  // kOpen: arguments; also the facts that the first operation on a number finds out
  PathJob* job = nullptr;   // calls on paths: what is to be done, and then what was found; kStatx: a StatJob
  // Our own memory under the vectors, held while the kernel may write to it (H8): one block, or one entry
  // (null where the memory is not ours) for each of several vectors.
  AlignedBlock* block = nullptr;
  AlignedBlock** blocks = nullptr;
  uint32_t block_count = 0;

  // Space for the backend alone: AIO keeps its iocb here, uring copies everything into the SQE.
  alignas(8) unsigned char backend_data[64] = {};

  bool has(RequestFlag flag) const { return (flags & flag) != 0; }
  uint64_t remaining() const { return wanted - done; }
  // A longer list takes several attempts, each of which comes back short.
  uint32_t vectors_per_attempt() const { return std::min(vector_count, limits::vectors); }

  bool owns_anything() const {
    const auto bits = [](const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); };
    return (bits(owned_vectors) | bits(bounce) | bits(staging) | bits(open) | bits(job) | bits(block) |
            bits(blocks)) != 0;
  }
};

struct Completion {
  Request* request;
  int32_t result;
};

}  // namespace ioengine
