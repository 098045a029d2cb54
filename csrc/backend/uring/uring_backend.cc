#include "backend/uring/uring_backend.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "backend/uring/uring_opcodes.h"
#include "base/check.h"
#include "base/fault_points.h"
#include "base/limits.h"
#include "jobs/stat_path.h"

namespace ioengine {
namespace {

// user_data: the place in the low half, the generation in the high one, which tells a late or doubled
// completion apart.
constexpr unsigned kGenerationShift = 32;

// A passing reason: io_uring_enter(2) may work the next time.
bool passes(int error) { return error == EAGAIN || error == EBUSY || error == EINTR || error == ENOMEM; }

// Whether an operation of unknown outcome can be done again (docs/decisions/0012-closed-rings.md). Not where
// the first attempt may have moved the file position or the end of the file, nor what may have reported
// already an error that the kernel reports once.
bool can_be_repeated(const Request* request) {
  switch (request->operation) {
    case Operation::kRead:
    case Operation::kWrite:
      return !request->has(kFlagCurrentPosition) && !request->has(kFlagAppend);
    case Operation::kStatx:
    case Operation::kFtruncate:
      return true;
    default:
      return false;
  }
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

// Without parameters the kernel gets as far as to read them: EFAULT. A sysctl, a seccomp filter and a kernel
// that has no io_uring answer before that.
BackendResult UringBackend::probe() {
  BackendResult result;
  if (syscall(SYS_io_uring_setup, 1, nullptr) == -1 && errno == EFAULT) return result;
  result.error_number = errno;
  explain(&result);
  return result;
}

Capabilities UringBackend::expected(uint32_t depth) {
  Capabilities expected;
  for (Operation operation : {Operation::kRead, Operation::kWrite, Operation::kFsync, Operation::kFdatasync,
                              Operation::kStatx, Operation::kFtruncate}) {
    expected.add(operation);
  }
  expected.depth = depth;
  expected.buffered_reads = expected.buffered_writes = expected.serves_at_submit = true;
  return expected;
}

BackendResult UringBackend::create(uint32_t depth, int wake_fd) {
  IOE_CHECK(depth <= limits::depth);
  BackendResult result;
  std::unique_ptr<UringBackend> backend(new UringBackend());
  int status = create_ring(&backend->ring_, depth, &backend->capabilities_.single_issuer);
  if (status < 0) {
    result.error_number = -status;
    explain(&result);
    return result;
  }
  backend->is_open_ = true;
  const Capabilities& found = backend->capabilities_;
  status = probe_operations(&backend->ring_, &backend->capabilities_);
  if (status < 0 && status != -EINVAL) {
    result.error_number = -status;
    explain_register(&result);
    return result;
  }
  // EINVAL: a kernel without IORING_REGISTER_PROBE (before 5.6).
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
  status = backend->release_.watch(&backend->ring_);
  if (status < 0) {
    result.error_number = -status;
    if (status == -EMFILE || status == -ENFILE) {
      explain(&result);
    } else {
      explain_register(&result);
    }
    return result;
  }
  // Both only improve matters: a kernel that refuses them still works. The ring's descriptor is not
  // registered, which would save 10 ns per io_uring_enter: a registered one keeps a ring alive that nobody
  // can close any more once io_uring_register is forbidden.
  io_uring_ring_dontfork(&backend->ring_);
  unsigned workers[2] = {limits::uring_workers_bounded, limits::uring_workers_unbounded};
  io_uring_register_iowq_max_workers(&backend->ring_, workers);

  struct stat ring_file = {};
  fstat(backend->ring_.ring_fd, &ring_file);
  backend->device_ = ring_file.st_dev;
  backend->inode_ = ring_file.st_ino;
  backend->wake_fd_ = wake_fd;
  backend->capabilities_.depth = depth;
  backend->capabilities_.buffered_reads = true;
  backend->capabilities_.buffered_writes = true;
  backend->capabilities_.serves_at_submit = true;
  backend->disarm_wake();
  result.backend = std::move(backend);
  return result;
}

UringBackend::UringBackend() {
  while (free_count_ < limits::depth) {
    free_places_[free_count_] = limits::depth - 1 - static_cast<uint32_t>(free_count_);
    ++free_count_;
  }
}

UringBackend::~UringBackend() {
  IOE_CHECK(in_flight_ == 0);
  if (is_open_) close_ring();
}

uint64_t UringBackend::take_place(Request* request) {
  const uint32_t place = free_places_[--free_count_];
  places_[place] = request;
  return place | static_cast<uint64_t>(request->generation) << kGenerationShift;
}

Request* UringBackend::leave_place(uint64_t user_data) {
  const auto place = static_cast<uint32_t>(user_data);
  IOE_CHECK(place < limits::depth);
  Request* request = places_[place];
  IOE_CHECK(request != nullptr && request->generation == user_data >> kGenerationShift);
  places_[place] = nullptr;
  free_places_[free_count_++] = place;
  return request;
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
  sqe->user_data = take_place(request);
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
    submit_refusals_.clear();
    return;
  }
  submit_refusals_.add();
  given_up_ = (submitted < 0 && !passes(-submitted)) || submit_refusals_.last();
  // Pressure clears as completions are reaped; until it does others serve what waits.
  if (given_up_ || submit_refusals_.are_many()) take_back_unsubmitted();
}

// The kernel has not seen these SQEs: the scheduler can have them served elsewhere.
void UringBackend::take_back_unsubmitted() {
  io_uring_sq& sq = ring_.sq;
  const unsigned mask = *sq.kring_mask;
  for (unsigned head = *sq.khead; head != sq.sqe_tail; ++head) {
    returned_.push_back({leave_place(sq.sqes[head & mask].user_data), -ECANCELED});
  }
  sq.sqe_tail = sq.sqe_head = *sq.khead;
  *sq.ktail = *sq.khead;
}

// Runs what completions of the device have left for this thread. False: the caller has to look again. Where
// the kernel refuses that for good, completions never appear, and only the end of the ring sets its requests
// free.
bool UringBackend::run_task_work() {
  const int status = io_uring_get_events(&ring_);
  // Work is left, and none was done: a ring has answered that is not this one.
  const bool is_ours = !has_task_work() || io_uring_cq_ready(&ring_) > 0 || owns_number();
  if (status >= 0 && is_ours) {
    look_refusals_.clear();
    return true;
  }
  look_refusals_.add();
  if (status < 0 && passes(-status) && !look_refusals_.last()) return false;
  take_back_unsubmitted();
  given_up_ = true;
  close_ring();
  return false;
}

// Somebody may have closed the descriptor by its number, which is another file's then.
bool UringBackend::owns_number() const {
  struct stat file;
  return fstat(ring_.ring_fd, &file) == 0 && file.st_dev == device_ && file.st_ino == inode_;
}

// The mappings count, too: the kernel ends a ring when its descriptor and they are gone. What is posted has a
// known outcome.
void UringBackend::close_ring() {
  Completion posted[limits::depth];
  const size_t count = take_posted(posted, limits::depth);
  returned_.insert(returned_.end(), posted, posted + count);
  if (!owns_number()) ring_.ring_fd = -1;
  io_uring_queue_exit(&ring_);
  is_open_ = false;
  if (kernel_owned_ > 0) announced_ = release_.announce(wake_fd_);
}

// The kernel has let go of what was in a closed ring, and of its memory. Nobody knows what became of it.
void UringBackend::settle_released() {
  for (Request*& request : places_) {
    if (request == nullptr) continue;
    returned_.push_back({request, can_be_repeated(request) ? -ECANCELED : -EIO});
    request = nullptr;
  }
  kernel_owned_ = 0;
}

size_t UringBackend::take_posted(Completion* into, size_t capacity) {
  unsigned head;
  unsigned seen = 0;
  io_uring_cqe* cqe;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    if (seen == capacity) break;
    Request* request = leave_place(cqe->user_data);
    into[seen++] = {request, IOE_FAULT_RESULT(request, cqe->res)};
  }
  io_uring_cq_advance(&ring_, seen);
  IOE_FAULT_REORDER(into, seen);
  IOE_CHECK(seen <= kernel_owned_);
  kernel_owned_ -= seen;
  return seen;
}

size_t UringBackend::reap(Completion* into, size_t capacity) {
  push();
  if (!is_open_ && kernel_owned_ > 0 && release_.is_over()) settle_released();
  size_t count = std::min(capacity, returned_.size());
  if (count > 0) {
    std::copy_n(returned_.begin(), count, into);
    returned_.erase(returned_.begin(), returned_.begin() + static_cast<ptrdiff_t>(count));
  }
  if (is_open_ && kernel_owned_ > 0) {
    // With DEFER_TASKRUN completions of the device appear only when this thread asks for its task work.
    if (io_uring_cq_ready(&ring_) == 0 && has_task_work()) run_task_work();
    if (IOE_FAULT_HOLDS_BACK(wake_fd_)) capacity = count;
    if (is_open_) count += take_posted(into + count, capacity - count);
  }
  IOE_CHECK(count <= in_flight_);
  in_flight_ -= count;
  return count;
}

// The wake-up is off while completions are drained. After switching it on, task work queued meanwhile wakes
// nobody (measured: it never fired again), so the caller is told to look once more after
// io_uring_get_events.
bool UringBackend::arm_wake() {
  if (!is_open_) return is_released();
  if (!wake_armed_) {
    if (!IOE_FAULT_LOSES_WAKE_UP()) io_uring_cq_eventfd_toggle(&ring_, true);
    wake_armed_ = true;
  }
  push();
  // The flag that the kernel reads before its tail that we read: without a full fence both sides could miss
  // the other's store, and a completion would wake nobody.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // An interrupted look has seen nothing, and what it missed would never wake this thread.
  if (kernel_owned_ > 0 && capabilities_.single_issuer && !run_task_work()) return true;
  // One look may run no more than 20 task works; those that are left wake nobody.
  if (has_task_work() && kernel_owned_ > 0) return true;
  return io_uring_cq_ready(&ring_) > 0 || !returned_.empty() || io_uring_sq_ready(&ring_) > 0;
}

// Whether a closed ring has something to hand out. Without a thread that waits for its end it is looked for
// now and then.
bool UringBackend::is_released() {
  if (!returned_.empty()) return true;
  if (kernel_owned_ == 0 || announced_) return kernel_owned_ > 0 && release_.is_over();
  usleep(limits::release_look_us);
  return true;
}

void UringBackend::disarm_wake() {
  if (wake_armed_ && is_open_) {
    io_uring_cq_eventfd_toggle(&ring_, false);
    wake_armed_ = false;
  }
}

}  // namespace ioengine
