#include "backend/mock/mock_backend.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "memory/aligned_block.h"

namespace ioengine {
namespace {

uint64_t total_bytes(const Request* request) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < request->vector_count; ++i) bytes += request->vectors[i].iov_len;
  return bytes;
}

// Whatever the unit of offsets and lengths is, memory has to start where a page does at most.
bool suits_device(const Request* request) {
  const uint32_t memory_alignment = std::min<uint32_t>(request->alignment, AlignedBlock::kAlignment);
  if (request->offset % request->alignment != 0) return false;
  for (uint32_t i = 0; i < request->vector_count; ++i) {
    const iovec& vector = request->vectors[i];
    if (vector.iov_len % request->alignment != 0) return false;
    if (vector.iov_len > 0 && reinterpret_cast<uintptr_t>(vector.iov_base) % memory_alignment != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace

MockBackend::MockBackend(MockDisk* disk, const MockOptions& options)
    : disk_(disk), options_(options), random_(options.seed) {
  capabilities_.depth = options.depth;
  capabilities_.buffered_reads = options.buffered_reads;
  capabilities_.buffered_writes = options.buffered_writes;
  capabilities_.serves_at_submit = options.serves_at_submit;
  for (Operation operation : {Operation::kRead, Operation::kWrite, Operation::kFsync, Operation::kFdatasync,
                              Operation::kFtruncate}) {
    capabilities_.add(operation);
  }
}

MockBackend::~MockBackend() { IOE_CHECK(in_flight_.empty()); }

// What every backend may rely on.
void MockBackend::check_contract(const Request* request) const {
  IOE_CHECK((request->generation & 1) == 1);
  IOE_CHECK(capabilities_.serves(request->operation));
  IOE_CHECK(!request->has(kFlagClearDirect));
  for (const Operational& other : in_flight_) IOE_CHECK(other.request != request);
  if (!moves_bytes(request->operation)) return;
  IOE_CHECK(request->vectors != nullptr && request->vector_count > 0);
  // More memory than is still wanted would be written past the end of the caller's memory (H15).
  if (request->bounce == nullptr) IOE_CHECK(total_bytes(request) == request->remaining());
  if (request->has(kFlagDirect)) IOE_CHECK(!request->has(kFlagCurrentPosition));  // H27
}

size_t MockBackend::submit(Request* const* requests, size_t count) {
  ++submits_;
  IOE_CHECK(in_flight_.size() + count <= capabilities_.depth);
  if (options_.refused_submits > 0) {
    --options_.refused_submits;
    return 0;
  }
  if (count > 0 && options_.submit_sleep_us > 0) usleep(options_.submit_sleep_us);
  size_t taking = count;
  if (count > 0 && random_.chance(options_.partial_submit_permille)) taking = random_.below(count);
  for (size_t i = 0; i < taking; ++i) {
    Request* request = requests[i];
    check_contract(request);
    taken_.push_back({request->operation, request->fd, request->offset, total_bytes(request),
                      request->vector_count, request->flags});
    const uint64_t due = round_ + random_.below(options_.delay_rounds_max + 1u);
    in_flight_.push_back({request, request->generation, due, draw(request)});
    if (uncounted_ == 0 && is_the_broken_one(MockDefect::kUncounted)) {
      uncounted_ = 1;
      uncounted_request_ = request;
      in_flight_.back().due_round += 50;
    }
  }
  in_flight_max_ = std::max(in_flight_max_, in_flight_.size());
  return taking;
}

MockOutcome MockBackend::draw(const Request* request) {
  MockOutcome outcome;
  if (!script_.empty()) {
    outcome = script_.front();
    script_.pop_front();
    return outcome;
  }
  const struct {
    uint32_t permille;
    int32_t error;
  } kErrors[] = {{options_.eio_permille, EIO},
                 {options_.eagain_permille, EAGAIN},
                 {options_.eintr_permille, EINTR},
                 {options_.eopnotsupp_permille, EOPNOTSUPP}};
  for (const auto& entry : kErrors) {
    if (random_.chance(entry.permille)) outcome.error = entry.error;
  }
  if (moves_bytes(request->operation) && random_.chance(options_.short_permille)) {
    const uint64_t unit = request->has(kFlagDirect) ? request->alignment : 1;
    const uint64_t units = total_bytes(request) / unit;
    if (units > 1) outcome.bytes = random_.between(1, units - 1) * unit;
  }
  return outcome;
}

bool MockBackend::is_the_broken_one(MockDefect defect) {
  return options_.defect == defect && ++candidates_ == options_.defect_at;
}

int32_t MockBackend::transfer(Request* request, const MockOutcome& outcome) {
  if (request->has(kFlagDirect) && !suits_device(request)) return -EINVAL;
  uint64_t offset = request->offset;
  if (request->has(kFlagCurrentPosition)) {
    const off_t position = lseek(request->fd, 0, request->has(kFlagAppend) ? SEEK_END : SEEK_CUR);
    if (position < 0) return -errno;
    offset = static_cast<uint64_t>(position);
  } else if (request->has(kFlagAppend)) {
    offset = disk_->size(request->fd);
  }
  const bool reads = request->operation == Operation::kRead;
  uint64_t limit = std::min(outcome.bytes, total_bytes(request));
  const bool lies =
      limit > 1 && request->bounce == nullptr && is_the_broken_one(MockDefect::kShortReportedFull);
  if (lies) --limit;
  const uint32_t count = request->vectors_per_attempt();
  int32_t moved = reads ? disk_->read(request->fd, request->vectors, count, offset, limit)
                        : disk_->write(request->fd, request->vectors, count, offset, limit);
  if (lies && moved > 0) ++moved;
  // Of a bounced read the first bytes may be nobody's.
  if (moved > 0 && reads && request->bounce == nullptr && is_the_broken_one(MockDefect::kWrongByte)) {
    static_cast<uint8_t*>(request->vectors[0].iov_base)[0] ^= 0x20;
  }
  if (moved > 0 && request->has(kFlagCurrentPosition)) {
    lseek(request->fd, static_cast<off_t>(offset) + moved, SEEK_SET);
  }
  return moved;
}

int32_t MockBackend::run(const Operational& operation) {
  Request* request = operation.request;
  IOE_CHECK(request->generation == operation.generation);
  if (operation.outcome.error != 0) return -operation.outcome.error;
  switch (request->operation) {
    case Operation::kRead:
    case Operation::kWrite:
      return transfer(request, operation.outcome);
    case Operation::kFtruncate:
      return ftruncate(request->fd, static_cast<off_t>(request->offset)) == 0 ? 0 : -errno;
    default:
      return 0;
  }
}

// Writes that were reported before they were made.
void MockBackend::run_late() {
  while (!late_.empty() && late_.front().due_round < round_) {
    const Late late = std::move(late_.front());
    late_.erase(late_.begin());
    disk_->write(late.fd, late.vectors.data(), static_cast<uint32_t>(late.vectors.size()), late.offset,
                 ~uint64_t{0});
  }
}

bool MockBackend::completes_early(const Request* request) {
  const bool suits = request->operation == Operation::kWrite && request->bounce == nullptr &&
                     !request->has(kFlagCurrentPosition) && !request->has(kFlagAppend);
  if (!suits || !is_the_broken_one(MockDefect::kEarlyCompletion)) return false;
  late_.push_back({request->fd, request->offset,
                   std::vector<iovec>(request->vectors, request->vectors + request->vector_count),
                   round_ + 2});
  return true;
}

size_t MockBackend::reap(Completion* into, size_t capacity) {
  if (options_.wake_fd < 0) ++round_;
  run_late();
  size_t count = 0;
  while (!doubled_.empty() && count < capacity) {
    into[count++] = doubled_.back();
    doubled_.pop_back();
  }
  if (options_.held) return count;
  std::vector<size_t> due;
  for (size_t i = 0; i < in_flight_.size(); ++i) {
    if (in_flight_[i].due_round < round_) due.push_back(i);
  }
  if (options_.reorder) {
    for (size_t i = due.size(); i > 1; --i) std::swap(due[i - 1], due[random_.below(i)]);
  }
  if (due.size() > capacity - count) due.resize(capacity - count);
  for (size_t index : due) {
    const Operational operation = in_flight_[index];
    in_flight_[index].request = nullptr;
    if (is_the_broken_one(MockDefect::kLostCompletion)) {
      ++lost_;
      continue;
    }
    if (uncounted_ > 0 && operation.request == uncounted_request_) uncounted_ = 0;
    if (operation.outcome.error == 0 && completes_early(operation.request)) {
      into[count++] = {operation.request, static_cast<int32_t>(total_bytes(operation.request))};
      continue;
    }
    into[count++] = {operation.request, run(operation)};
    if (is_the_broken_one(MockDefect::kDoubleCompletion)) doubled_.push_back(into[count - 1]);
  }
  in_flight_.erase(std::remove_if(in_flight_.begin(), in_flight_.end(),
                                  [](const Operational& operation) { return operation.request == nullptr; }),
                   in_flight_.end());
  return count;
}

bool MockBackend::has_due() const {
  if (options_.held) return false;
  return std::any_of(in_flight_.begin(), in_flight_.end(),
                     [this](const Operational& operation) { return operation.due_round < round_; });
}

void MockBackend::tick() {
  ++round_;
  if (!armed_ || !has_due()) return;
  eventfd_write(options_.wake_fd, 1);
  armed_ = false;
}

// Without an eventfd it wakes nobody up: as long as something may complete, the owner has to look again.
bool MockBackend::arm_wake() {
  if (options_.wake_fd < 0) return !in_flight_.empty() && !options_.held;
  armed_ = true;
  return has_due() || !doubled_.empty();
}

}  // namespace ioengine
