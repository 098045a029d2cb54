#include "backend/aio/aio_backend.h"

#include <fcntl.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "base/fault_points.h"
#include "base/owned_fd.h"

namespace ioengine {
namespace {

// Commands of the kernel ABI. PREADV and PWRITEV are in the header since 2.6.22, FSYNC works since 4.18.
uint16_t command_of(const Request* request) {
  const bool vectored = request->vector_count != 1;
  switch (request->operation) {
    case Operation::kRead:
      return vectored ? IOCB_CMD_PREADV : IOCB_CMD_PREAD;
    case Operation::kWrite:
      return vectored ? IOCB_CMD_PWRITEV : IOCB_CMD_PWRITE;
    case Operation::kFsync:
      return IOCB_CMD_FSYNC;
    case Operation::kFdatasync:
      return IOCB_CMD_FDSYNC;
    default:
      IOE_CHECK(!"operation is not served by AIO");
      return 0;
  }
}

void explain(BackendResult* result) {
  switch (result->error_number) {
    case EAGAIN:
      result->cause =
          "fs.aio-max-nr is exhausted: all AIO contexts of the system together hold too many events";
      result->fix = "raise sysctl fs.aio-max-nr, or end other users of AIO (databases) on this machine";
      break;
    case ENOSYS:
      result->cause = "this kernel was built without CONFIG_AIO, or a sandbox hides it";
      result->fix = "use IOENGINE_BACKEND=threads";
      break;
    case EPERM:
      result->cause = "a seccomp filter blocks io_setup";
      result->fix = "allow io_setup, io_submit, io_getevents and io_destroy in the seccomp profile";
      break;
    case ENOMEM:
      result->cause = "no memory for the AIO context";
      result->fix = "raise the container's memory limit";
      break;
    default:
      result->cause = "Linux native AIO could not be set up";
      result->fix = "use IOENGINE_BACKEND=threads";
  }
}

// A number that is a file of /proc/sys/fs; -1 where that cannot be read.
long long system_number(const char* path) {
  const OwnedFd file(open(path, O_RDONLY | O_CLOEXEC));
  char text[32] = {};
  if (file.get() == -1 || read(file.get(), text, sizeof(text) - 1) <= 0) return -1;
  return std::strtoll(text, nullptr, 10);
}

}  // namespace

// Without a place for the context the kernel gets as far as to look at it: EFAULT. A seccomp filter and a
// kernel without AIO answer before that. What all contexts of the system may hold is compared as io_setup(2)
// does.
BackendResult AioBackend::probe(uint32_t depth) {
  BackendResult result;
  const long status = aio::setup(depth, nullptr);
  if (status != -EFAULT) {
    result.error_number = static_cast<int>(-status);
  } else {
    const long long used = system_number("/proc/sys/fs/aio-nr");
    const long long most = system_number("/proc/sys/fs/aio-max-nr");
    if (used >= 0 && most >= 0 && used + depth > most) result.error_number = EAGAIN;
  }
  if (result.error_number != 0) explain(&result);
  return result;
}

Capabilities AioBackend::capabilities_of(uint32_t depth) {
  Capabilities capabilities;
  for (Operation operation :
       {Operation::kRead, Operation::kWrite, Operation::kFsync, Operation::kFdatasync}) {
    capabilities.add(operation);
  }
  capabilities.depth = depth;
  capabilities.serves_at_submit = true;
  return capabilities;
}

BackendResult AioBackend::create(uint32_t depth, int wake_fd) {
  IOE_CHECK(depth <= limits::depth);
  BackendResult result;
  std::unique_ptr<AioBackend> backend(new AioBackend());
  const long status = aio::setup(depth, &backend->context_);
  if (status < 0) {
    backend->context_ = 0;
    result.error_number = static_cast<int>(-status);
    explain(&result);
    return result;
  }
  auto* ring = reinterpret_cast<aio::Ring*>(backend->context_);
  if (ring->magic == aio::kRingMagic && ring->incompat_features == 0) backend->ring_ = ring;
  backend->wake_fd_ = wake_fd;
  backend->capabilities_ = capabilities_of(depth);
  result.backend = std::move(backend);
  return result;
}

AioBackend::~AioBackend() {
  IOE_CHECK(in_flight_ == 0);
  if (context_ != 0) aio::destroy(context_);
}

void AioBackend::prepare(Request* request) {
  static_assert(sizeof(iocb) <= sizeof(Request::backend_data), "an iocb must fit in the request");
  auto* block = reinterpret_cast<iocb*>(request->backend_data);
  std::memset(block, 0, sizeof(*block));
  block->aio_data = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(request));
  block->aio_key = 0;
  block->aio_lio_opcode = command_of(request);
  block->aio_fildes = static_cast<uint32_t>(request->fd);
  // A cached read is over when io_submit returns, and is reaped at once: to signal each of them would cost as
  // much as the rest of the completion, and wake the loop up for nothing.
  if (!request->has(kFlagExpectCached)) {
    block->aio_flags = IOCB_FLAG_RESFD;
    block->aio_resfd = static_cast<uint32_t>(wake_fd_);
  }
  if (!moves_bytes(request->operation)) return;    // FSYNC wants buffer, size and offset zero
  IOE_CHECK(!request->has(kFlagCurrentPosition));  // offset -1 is EINVAL on AIO (H27)
  // io_submit would wait for the inode lock that another writer holds, and for the writeback of dirty pages
  // in the range (H32): with RWF_NOWAIT the completion says EAGAIN instead, and the pool waits.
  if (request->nowait) block->aio_rw_flags = RWF_NOWAIT;
  block->aio_offset = static_cast<int64_t>(request->offset);
  if (request->vector_count == 1) {
    block->aio_buf = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(request->vectors[0].iov_base));
    block->aio_nbytes = request->vectors[0].iov_len;
  } else {
    block->aio_buf = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(request->vectors));
    block->aio_nbytes = request->vectors_per_attempt();
  }
}

size_t AioBackend::submit(Request* const* requests, size_t count) {
  size_t taken = 0;
  while (taken < count && in_flight_ < capabilities_.depth) {
    prepare(requests[taken]);
    pending_[pending_count_++] = reinterpret_cast<iocb*>(requests[taken]->backend_data);
    if (requests[taken]->has(kFlagExpectCached)) ++unsignalled_;
    ++taken;
    ++in_flight_;
  }
  push();
  return taken;
}

// io_submit stops at the first iocb it refuses: [good, bad, good] returns 1, then the error of the bad one
// (H5). So only the first of what is left is failed, and the rest goes on.
void AioBackend::push() {
  size_t first = 0;
  while (first < pending_count_) {
    const long submitted = aio::submit(context_, static_cast<long>(pending_count_ - first), pending_ + first);
    if (submitted > 0) {
      first += static_cast<size_t>(submitted);
      kernel_owned_ += static_cast<size_t>(submitted);
      refusals_.clear();
      continue;
    }
    // EAGAIN clears only as completions are reaped (H6): keep the rest. With nothing to reap it may stay for
    // ever, so after a while the scheduler gets it back to serve it elsewhere.
    const bool forbidden = submitted == -EPERM || submitted == -EACCES || submitted == -ENOSYS;
    const bool pressure =
        submitted == 0 || submitted == -EAGAIN || submitted == -ENOMEM || submitted == -EINTR;
    if (pressure || forbidden) refusals_.add();
    // An interrupted call is simply made again, but not for ever.
    if (pressure && !refusals_.are_many()) {
      if (submitted == -EINTR) continue;
      break;
    }
    if (pressure && submitted != -EINTR && kernel_owned_ > 0) break;
    // What a filter forbids here, plain system calls may still do: the pool finds the request's own result.
    if ((forbidden && refusals_.are_many()) || (pressure && refusals_.last())) given_up_ = true;
    auto* request = reinterpret_cast<Request*>(static_cast<uintptr_t>(pending_[first]->aio_data));
    refused_[refused_count_++] = {request,
                                  pressure || forbidden ? -ECANCELED : static_cast<int32_t>(submitted)};
    ++first;
  }
  std::copy(pending_ + first, pending_ + pending_count_, pending_);
  pending_count_ -= first;
}

size_t AioBackend::reap(Completion* into, size_t capacity) {
  push();
  size_t count = 0;
  while (refused_count_ > 0 && count < capacity) into[count++] = refused_[--refused_count_];
  in_flight_ -= count;
  if (kernel_owned_ == 0 || count == capacity || IOE_FAULT_HOLDS_BACK(wake_fd_))
    return forget_unsignalled(into, count);
  const size_t reaped = ring_ != nullptr ? reap_ring(into + count, capacity - count)
                                         : reap_call(into + count, capacity - count);
  IOE_CHECK(reaped <= kernel_owned_);
  kernel_owned_ -= reaped;
  in_flight_ -= reaped;
  count += reaped;
  return forget_unsignalled(into, count);
}

size_t AioBackend::forget_unsignalled(const Completion* reaped, size_t count) {
  for (size_t i = 0; i < count && unsignalled_ > 0; ++i) {
    if (reaped[i].request->has(kFlagExpectCached)) --unsignalled_;
  }
  return count;
}

// The kernel writes events and then tail; we read tail, then events, then move head. Only this thread moves
// head.
size_t AioBackend::reap_ring(Completion* into, size_t capacity) {
  size_t count = 0;
  unsigned head = __atomic_load_n(&ring_->head, __ATOMIC_RELAXED);
  const unsigned tail = __atomic_load_n(&ring_->tail, __ATOMIC_ACQUIRE);
  while (head != tail && count < capacity) {
    const io_event& event = ring_->events[head];
    auto* request = reinterpret_cast<Request*>(static_cast<uintptr_t>(event.data));
    into[count++] = {request, IOE_FAULT_RESULT(request, static_cast<int32_t>(event.res))};
    head = head + 1 == ring_->nr ? 0 : head + 1;
  }
  __atomic_store_n(&ring_->head, head, __ATOMIC_RELEASE);
  IOE_FAULT_REORDER(into, count);
  return count;
}

size_t AioBackend::reap_call(Completion* into, size_t capacity) {
  io_event events[64];
  timespec no_wait = {0, 0};
  const long want = static_cast<long>(std::min<size_t>(capacity, 64));
  const long reaped = aio::get_events(context_, 0, want, events, &no_wait);
  for (long i = 0; i < reaped; ++i) {
    into[i] = {reinterpret_cast<Request*>(static_cast<uintptr_t>(events[i].data)),
               static_cast<int32_t>(events[i].res)};
  }
  return reaped > 0 ? static_cast<size_t>(reaped) : 0;
}

bool AioBackend::arm_wake() {
  push();
  // Should a filesystem complete a cached read later after all, nothing tells: look until it is there.
  if (refused_count_ > 0 || unsignalled_ > 0) return true;
  // Pending with nothing in the kernel means io_submit keeps refusing: only trying again gets on.
  return pending_count_ > 0 && kernel_owned_ == 0;
}

}  // namespace ioengine
