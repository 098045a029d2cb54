#include "backend/uring/uring_backend.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "backend/uring/uring_opcodes.h"
#include "base/check.h"
#include "base/limits.h"
#include "jobs/stat_path.h"

namespace ioengine {
namespace {

// user_data: the address in the low 48 bits, the low 16 bits of the generation above. Requests live as long
// as the engine, so the address is always safe to read; the generation tells a late or doubled completion
// apart.
constexpr unsigned kGenerationShift = 48;

uint64_t user_data_of(const Request* request) {
  return static_cast<uint64_t>(reinterpret_cast<uintptr_t>(request)) |
         static_cast<uint64_t>(request->generation & 0xffff) << kGenerationShift;
}

Request* request_of(uint64_t user_data) {
  auto* request =
      reinterpret_cast<Request*>(static_cast<uintptr_t>(user_data & ((1ull << kGenerationShift) - 1)));
  IOE_CHECK((request->generation & 0xffff) == user_data >> kGenerationShift);
  return request;
}

void explain(BackendResult* result) {
  switch (result->error_number) {
    case EPERM:
      result->cause =
          "io_uring is forbidden: kernel.io_uring_disabled is set, or a seccomp filter (Docker's default "
          "profile) blocks it";
      result->fix =
          "set sysctl kernel.io_uring_disabled=0, or allow io_uring_setup, io_uring_enter and "
          "io_uring_register in the container's seccomp profile";
      break;
    case ENOSYS:
      result->cause = "this kernel has no io_uring, or a sandbox (gVisor, seccomp) hides it";
      result->fix = "use Linux 5.10 or newer with CONFIG_IO_URING, or IOENGINE_BACKEND=aio";
      break;
    case ENOMEM:
      result->cause = "the ring does not fit: RLIMIT_MEMLOCK or the memory cgroup is exhausted";
      result->fix = "raise the memlock limit (ulimit -l, LimitMEMLOCK=) or the container's memory";
      break;
    case EMFILE:
    case ENFILE:
      result->cause = "no free file descriptor for the ring";
      result->fix = "raise the open-files limit (ulimit -n, LimitNOFILE=)";
      break;
    default:
      result->cause = "io_uring could not be set up";
      result->fix = "use IOENGINE_BACKEND=aio or IOENGINE_BACKEND=threads";
  }
}

// SINGLE_ISSUER | DEFER_TASKRUN (Linux 6.1) keep completions off other threads' backs; older kernels answer
// EINVAL and get the next plainer set.
int create_ring(io_uring* ring, uint32_t depth, bool* single_issuer) {
  const unsigned kFlagSets[] = {
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
      IORING_SETUP_COOP_TASKRUN,
      0,
  };
  int status = -EINVAL;
  for (unsigned flags : kFlagSets) {
    io_uring_params params = {};
    // In flight never exceeds depth, so a CQ of twice that cannot overflow (H6).
    params.flags = flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    params.cq_entries = depth * 2;
    status = io_uring_queue_init_params(depth, ring, &params);
    if (status == 0) {
      *single_issuer = (flags & IORING_SETUP_DEFER_TASKRUN) != 0;
      return 0;
    }
    if (status != -EINVAL) return status;
  }
  return status;
}

// 0, or -errno of what refused to tell; an operation that the kernel lacks is missing in `capabilities`.
int probe_operations(io_uring* ring, Capabilities* capabilities) {
  constexpr unsigned kOpcodesMax = 256;
  const size_t size = sizeof(io_uring_probe) + kOpcodesMax * sizeof(io_uring_probe_op);
  const std::unique_ptr<char[]> memory(new char[size]());
  auto* probe = reinterpret_cast<io_uring_probe*>(memory.get());
  const int status = io_uring_register_probe(ring, probe, kOpcodesMax);
  if (status < 0) return status;
  const struct {
    Operation operation;
    unsigned opcode;
  } kOpcodes[] = {{Operation::kRead, IORING_OP_READ},   {Operation::kWrite, IORING_OP_WRITE},
                  {Operation::kFsync, IORING_OP_FSYNC}, {Operation::kFdatasync, IORING_OP_FSYNC},
                  {Operation::kStatx, IORING_OP_STATX}, {Operation::kFtruncate, kUringOpFtruncate}};
  for (const auto& entry : kOpcodes) {
    if (entry.opcode <= probe->last_op && (probe->ops[entry.opcode].flags & IO_URING_OP_SUPPORTED) != 0) {
      capabilities->add(entry.operation);
    }
  }
  return 0;
}

// The ring is there, and io_uring_register(2) fails.
void explain_register(BackendResult* result) {
  if (result->error_number == ENOMEM) return explain(result);
  result->cause =
      "io_uring_setup is allowed and io_uring_register is refused: a seccomp filter lets only part of "
      "io_uring "
      "pass";
  result->fix =
      "allow io_uring_setup, io_uring_enter and io_uring_register together in the seccomp profile, or use "
      "IOENGINE_BACKEND=aio";
}

}  // namespace

BackendResult UringBackend::create(uint32_t depth, int wake_fd) {
  BackendResult result;
  std::unique_ptr<UringBackend> backend(new UringBackend());
  int status = create_ring(&backend->ring_, depth, &backend->capabilities_.single_issuer);
  if (status < 0) {
    backend->ring_.ring_fd = -1;
    result.error_number = -status;
    explain(&result);
    return result;
  }
  const Capabilities& found = backend->capabilities_;
  status = probe_operations(&backend->ring_, &backend->capabilities_);
  if (status < 0 && status != -EINVAL) {
    result.error_number = -status;
    explain_register(&result);
    return result;
  }
  // EINVAL: a kernel that does not know the question (before 5.6).
  if (!found.serves(Operation::kRead) || !found.serves(Operation::kWrite)) {
    result.error_number = ENOSYS;
    result.cause = "the kernel's io_uring lacks IORING_OP_READ or IORING_OP_WRITE";
    result.fix = "use Linux 5.10 or newer, or IOENGINE_BACKEND=aio";
    return result;
  }
  status = io_uring_register_eventfd(&backend->ring_, wake_fd);
  if (status < 0) {
    result.error_number = -status;
    explain_register(&result);
    return result;
  }
  // Both only improve matters: a kernel that refuses them still works.
  io_uring_ring_dontfork(&backend->ring_);
  unsigned workers[2] = {limits::uring_workers_bounded, limits::uring_workers_unbounded};
  io_uring_register_iowq_max_workers(&backend->ring_, workers);
  io_uring_register_ring_fd(&backend->ring_);

  backend->capabilities_.depth = depth;
  backend->capabilities_.buffered_reads = true;
  backend->capabilities_.buffered_writes = true;
  backend->capabilities_.serves_at_submit = true;
  backend->disarm_wake();
  result.backend = std::move(backend);
  return result;
}

UringBackend::~UringBackend() {
  IOE_CHECK(in_flight_ == 0);
  if (ring_.ring_fd >= 0) io_uring_queue_exit(&ring_);
}

void UringBackend::prepare(io_uring_sqe* sqe, Request* request) {
  const iovec* vectors = request->vectors;
  // Offset -1 is read(2): the file position, moved by the kernel. The scheduler allows it only one at a time
  // and never with O_DIRECT (H27).
  const uint64_t offset = request->has(kFlagCurrentPosition) ? ~0ull : request->offset;
  switch (request->operation) {
    case Operation::kRead:
      if (request->vector_count == 1) {
        io_uring_prep_read(sqe, request->fd, vectors[0].iov_base, static_cast<unsigned>(vectors[0].iov_len),
                           offset);
      } else {
        io_uring_prep_readv(sqe, request->fd, vectors, request->vectors_per_attempt(), offset);
      }
      break;
    case Operation::kWrite:
      if (request->vector_count == 1) {
        io_uring_prep_write(sqe, request->fd, vectors[0].iov_base, static_cast<unsigned>(vectors[0].iov_len),
                            offset);
      } else {
        io_uring_prep_writev(sqe, request->fd, vectors, request->vectors_per_attempt(), offset);
      }
      break;
    case Operation::kFsync:
      io_uring_prep_fsync(sqe, request->fd, 0);
      break;
    case Operation::kFdatasync:
      io_uring_prep_fsync(sqe, request->fd, IORING_FSYNC_DATASYNC);
      break;
    case Operation::kStatx:
      io_uring_prep_statx(sqe, request->fd, "", AT_EMPTY_PATH, kStatxMask,
                          &static_cast<StatJob*>(request->job)->status);
      break;
    case Operation::kFtruncate:
      io_uring_prep_rw(static_cast<int>(kUringOpFtruncate), sqe, request->fd, nullptr, 0, request->offset);
      break;
    default:
      IOE_CHECK(!"operation is not served by io_uring");
  }
  // The ring's own first attempt may block on a miss (block mapping of a cold file took 200 to 400 ms), so
  // what is not known to be cached starts on a worker of the kernel.
  if (request->has(kFlagMayWait)) sqe->flags |= IOSQE_ASYNC;
  sqe->user_data = user_data_of(request);
}

size_t UringBackend::submit(Request* const* requests, size_t count) {
  size_t taken = 0;
  while (!given_up_ && taken < count && in_flight_ < capabilities_.depth) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    if (sqe == nullptr) break;
    prepare(sqe, requests[taken]);
    ++taken;
    ++in_flight_;
  }
  push();
  return taken;
}

// Hands prepared SQEs to the kernel. What it does not consume stays in the ring, still ours, and goes again
// with the next push (H5): a failed io_uring_enter is backpressure, never a lost request.
void UringBackend::push() {
  if (given_up_ || io_uring_sq_ready(&ring_) == 0) return;
  const int submitted =
      capabilities_.single_issuer ? io_uring_submit_and_get_events(&ring_) : io_uring_submit(&ring_);
  if (submitted > 0) {
    kernel_owned_ += static_cast<size_t>(submitted);
    submit_failures_ = 0;
    return;
  }
  // Pressure clears as completions are reaped; anything else will not, nor will pressure with nothing to
  // reap.
  const bool pressure = submitted == 0 || submitted == -EAGAIN || submitted == -EBUSY ||
                        submitted == -EINTR || submitted == -ENOMEM;
  if (!pressure || (++submit_failures_ >= limits::submit_failures && kernel_owned_ == 0))
    give_up_unsubmitted();
}

// A ring that refuses everything will not recover (a late seccomp filter, for one).
// The kernel has not seen these SQEs: take them back so that the scheduler can serve them elsewhere.
void UringBackend::give_up_unsubmitted() {
  io_uring_sq& sq = ring_.sq;
  const unsigned mask = *sq.kring_mask;
  Request** tail = &refused_;
  while (*tail != nullptr) tail = &(*tail)->next;
  for (unsigned head = *sq.khead; head != sq.sqe_tail; ++head) {
    Request* request = request_of(sq.sqes[head & mask].user_data);
    request->next = nullptr;
    *tail = request;
    tail = &request->next;
  }
  sq.sqe_tail = sq.sqe_head = *sq.khead;
  *sq.ktail = *sq.khead;
  given_up_ = true;
}

// Runs what completions of the device have left for this thread. False: it has to be called again. Where the
// kernel refuses that for good, what it has stays in flight (H1) and is looked for now and then, without a
// busy loop.
bool UringBackend::run_task_work() {
  const int status = io_uring_get_events(&ring_);
  if (status >= 0) {
    look_failures_ = 0;
    return true;
  }
  const bool passing = status == -EINTR || status == -EAGAIN || status == -EBUSY || status == -ENOMEM;
  if (passing && ++look_failures_ < limits::submit_failures) return false;
  if (!given_up_) give_up_unsubmitted();
  usleep(limits::refused_look_us);
  return false;
}

size_t UringBackend::reap(Completion* into, size_t capacity) {
  push();
  size_t count = 0;
  while (refused_ != nullptr && count < capacity) {
    Request* request = refused_;
    refused_ = request->next;
    request->next = nullptr;
    into[count++] = {request, -ECANCELED};
    --in_flight_;
  }
  if (kernel_owned_ == 0) return count;
  // With DEFER_TASKRUN completions of the device appear only when this thread asks for its task work.
  if (io_uring_cq_ready(&ring_) == 0 && (IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_TASKRUN) != 0) {
    run_task_work();
  }
  unsigned head;
  unsigned seen = 0;
  io_uring_cqe* cqe;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    if (count == capacity) break;
    into[count++] = {request_of(cqe->user_data), cqe->res};
    ++seen;
  }
  io_uring_cq_advance(&ring_, seen);
  IOE_CHECK(seen <= kernel_owned_ && seen <= in_flight_);
  kernel_owned_ -= seen;
  in_flight_ -= seen;
  return count;
}

// The bell is off while completions are drained. After switching it on, task work queued meanwhile rings
// nothing (measured: it never fired again), so the caller is told to look once more after
// io_uring_get_events.
bool UringBackend::arm_wake() {
  if (!wake_armed_) {
    io_uring_cq_eventfd_toggle(&ring_, true);
    wake_armed_ = true;
  }
  push();
  // The flag that the kernel reads before its tail that we read: without a full fence both sides could miss
  // the other's store, and a completion would ring nothing.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // An interrupted look has seen nothing, and what it missed would never ring.
  if (kernel_owned_ > 0 && capabilities_.single_issuer && !run_task_work()) return true;
  // One look may run no more than 20 task works; those that are left ring nothing.
  if ((IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_TASKRUN) != 0 && kernel_owned_ > 0) return true;
  // Pressure that lasts clears with the next completion; with none to come only trying again gets on.
  const bool try_again =
      io_uring_sq_ready(&ring_) > 0 && (kernel_owned_ == 0 || submit_failures_ < limits::submit_failures);
  return io_uring_cq_ready(&ring_) > 0 || refused_ != nullptr || try_again;
}

void UringBackend::disarm_wake() {
  if (wake_armed_) {
    io_uring_cq_eventfd_toggle(&ring_, false);
    wake_armed_ = false;
  }
}

}  // namespace ioengine
