// Jobs that may take long run in time slices: a pool thread works for one slice, and the pool queues the same
// request again behind the others. Where the job is, and the files that it has open, are kept between two
// slices: no file is opened by its name a second time, when another may have taken its place (H30).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/limits.h"
#include "jobs/path_job.h"

namespace ioengine {

class TimeSlice {
 public:
  // To be called after a step, never before the first: every slice makes progress, however slow a step is.
  bool is_over() const { return monotonic_ns() > deadline_ns_; }

 private:
  const uint64_t deadline_ns_ = monotonic_ns() + limits::slice_time_ns;
};

// What a job keeps between two slices.
class ResumableWork {
 public:
  virtual ~ResumableWork() = default;  // closes whatever is open: the job may be cancelled between two slices
  // kUnfinished, or the result of the job.
  virtual int32_t run(const TimeSlice& slice) = 0;
  // Between two slices: a file is half copied. Node leaves none so, whatever ends the process or the thread
  // but a signal; so one more slice is to be run first, which ends the file.
  virtual bool is_in_file() const { return false; }
};

struct ResumableJob : PathJob {
  using PathJob::PathJob;

  // One slice: kUnfinished, or the result.
  int32_t run() final;
  ResumableJob* unfinished() final { return work_ != nullptr ? this : nullptr; }

  // Of an unfinished one.
  bool is_in_file() const { return work_->is_in_file(); }
  void cancel() { work_.reset(); }

  // The process or the thread ends; set by another thread.
  const std::atomic<bool>* ending = nullptr;
  bool is_ending() const { return ending != nullptr && ending->load(std::memory_order_relaxed); }

 protected:
  // kUnfinished with the work to be done, or the result where that was all.
  virtual int32_t begin(std::unique_ptr<ResumableWork>* work) = 0;

 private:
  std::unique_ptr<ResumableWork> work_;
};

// Descriptors that a job keeps open between two slices. Any number of jobs may be under way, so there is a
// bound for the process: without it they would use up the descriptors of the program.
class HeldDescriptors {
 public:
  HeldDescriptors() = default;
  HeldDescriptors(const HeldDescriptors&) = delete;
  HeldDescriptors& operator=(const HeldDescriptors&) = delete;
  ~HeldDescriptors() { give_back(); }

  bool take(size_t count);
  void give_back();

 private:
  size_t count_ = 0;
};

}  // namespace ioengine
