// IoContext: the engine of one JavaScript thread. It accepts operations, orders them per descriptor, routes
// each to a lane, submits in batches, retries what came back short, and keeps finished requests until they
// are delivered.
//
// Life of a request:   accept -> (gate: waiting) -> start -> a ready list -> (tags: waiting) -> lane ->
// settle
// -> finished -> take_finished
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/threads/threads_backend.h"
#include "jobs/open_file.h"
#include "jobs/read_file.h"
#include "jobs/result_codes.h"
#include "scheduler/call_in_flight.h"
#include "scheduler/descriptor.h"
#include "scheduler/device_queues.h"
#include "scheduler/file_stamp.h"
#include "scheduler/inline_lane.h"
#include "scheduler/inline_paths.h"
#include "scheduler/mount_table.h"
#include "scheduler/path_order.h"
#include "scheduler/slots.h"

namespace ioengine {

struct DescriptorJob;

struct LaneCounters {
  uint64_t operations = 0;
  uint64_t bytes = 0;

  void add(uint64_t more) {
    ++operations;
    bytes += more;
  }
};

struct Statistics {
  LaneCounters lanes[kLaneCount];
  LaneCounters kinds[kFilesystemKinds];
  uint64_t fallbacks = 0;  // attempts that one lane could not serve and another took over
  uint64_t merged = 0;     // requests that became part of a merged one, but for the first of each
};

// An accepting call returns the result itself when it was served inline (bytes, or -errno), kUnsupported when
// node:fs has to serve it, or the number of a slot as accepted_in() codes it.
class IoContext {
 public:
  // `backend` is what create_backend made. `wake_fd`: eventfd written to when a completion may be waiting and
  // arm_wake() was called. Both outlive no longer than the context.
  IoContext(std::unique_ptr<IoBackend> backend, int wake_fd);
  ~IoContext();

  // Reads or writes `count` vectors, `wanted` bytes in all, at `position` (-1: the file position, which
  // moves). The vectors are copied. Memory must stay valid until the request has been delivered.
  int32_t transfer(Operation operation, int fd, const iovec* vectors, uint32_t count, uint64_t wanted,
                   int64_t position, uint32_t flags);
  // kFsync, kFdatasync, kFtruncate (to `length`).
  int32_t control(Operation operation, int fd, uint64_t length, uint32_t flags);
  // Mode, owner or times of an open file.
  int32_t set_attributes(int fd, std::unique_ptr<DescriptorJob> job, uint32_t flags);
  int32_t open(OpenJob* job, uint32_t flags);  // takes ownership of job
  // With kFlagKeepNumber the number stays taken, and every call on it fails, until it is forgotten: then the
  // caller sets it free. The result is that of close_keeping_number() (jobs/reserved_number.h).
  int32_t close(int fd, uint32_t flags);

  // paths.cc
  // stat(2) or lstat(2), access(2), and fstat(2). 0: `status` is filled. The result of what was accepted is
  // in job_of().
  int32_t stat(const char* path, bool follow, uint32_t flags, struct statx* status);
  int32_t access(const char* path, int32_t mode, uint32_t flags);
  int32_t stat_descriptor(int fd, uint32_t flags, struct statx* status);
  // All of a small file into `memory`, which holds limits::whole_file_bytes: bytes, or -errno of the open.
  // What was accepted has the file in its job: the content, or the open descriptor where one go was not
  // enough.
  int32_t read_file(const char* path, uint32_t flags, char* memory);
  // Operations on paths that are never answered on this thread: kWriteFile, kReadDirectory, kReadTree,
  // kCopyTree, kCopyFile, kRemoveTree, kChangePath, kReadLink, kStatFilesystem, kOpenDirectory, kReadEntries.
  // Memory that `job` points to must stay valid until the
  // request has been delivered.
  int32_t run_in_pool(Operation operation, std::unique_ptr<PathJob> job, uint32_t flags);
  // What a finished request on a path, not given back yet, has found; null for any other number.
  PathJob* job_of(uint32_t slot);

  // A result that is known already, to be delivered like that of any other request.
  int32_t answer_later(int32_t result, uint32_t flags);
  // The same, but no earlier than the immediates that JavaScript has queued by now have run.
  int32_t answer_after_immediates(uint32_t flags);
  // node:fs has just been called for an operation that changes paths. Until the next turn paths
  // are looked up in the pool, where such operations overtake each other no more than in node's own.
  void paths_change_elsewhere() { foreign_change_turn_ = turn_; }

  // first_look.cc: node:fs is about to be given a watchFile. Returns what end_first_look() takes when it has
  // looked at the file.
  int32_t begin_first_look(std::unique_ptr<FirstLookJob> job);
  void end_first_look(int32_t id);

  // Of a regular file of the engine's: true where an equal stamp later proves that it has not been changed.
  bool stamp(int fd, FileStamp* stamp) const;
  // The file position, or -1: also on a remote mount, where lseek(2) waits for a read(2) of the same file.
  int64_t file_position(int fd) const;
  // Moves the file position from `from` to `to`, as a read of what lies between would. False, and nothing is
  // moved, where it is somewhere else, or an operation at the file position is under way.
  bool claim_position(int fd, int64_t from, int64_t to) const;

  // Takes an open descriptor whose facts are known already, without a call of the kernel.
  void adopt(int fd, const FileFacts& facts);
  // Forgets what is known of a number: another file has just got it, or it was closed by someone else.
  void forget(int fd);

  // One round: submits what is ready, reaps, settles. Returns true when there is something to deliver.
  bool round();
  // A new turn of the event loop begins: budgets are whole again.
  void start_turn();
  // The event loop goes round, with or without a turn of ours: what was looked at before is out of date.
  void start_iteration() { inline_lane_.start_turn(); }
  // Finished requests, oldest first. The caller reads slot, result and flags, then gives each back.
  Request* take_finished();
  const Request* peek_finished() const;
  void give_back(Request* request);
  bool has_finished() const { return peek_finished() != nullptr; }
  // Whether requests accepted since the last check phase may be taken before the next one. Not while
  // immediates wait: node could not have a result before them.
  void allow_early(bool allowed) { early_allowed_ = allowed; }
  // Settled, but not to be delivered before the check phase of the event loop.
  bool has_held_back() const { return !held_back_.empty() || !early_.empty(); }
  // Anything that JavaScript has to get yet.
  bool has_undelivered() const { return unsettled_ > 0 || !finished_.empty() || has_held_back(); }
  // The check phase begins, in which immediates run. True: there is more to deliver in the next turn.
  bool start_check_phase();
  // Work that a further round on this thread can do without waiting for a completion.
  bool has_local_work() const;

  // Arms the wake-up. True: look again before sleeping.
  bool arm_wake();
  void disarm_wake();

  // Nothing is in flight but a request or two in the pool, whose end could be waited for without sleeping.
  bool may_spin() const {
    const size_t local = threads_->local_in_flight();
    return threads_->may_spin() && local > 0 && local <= 2 && in_flight() == threads_->in_flight();
  }
  // Waits for it, with the wake-up off: whether one has ended.
  bool spin(uint64_t most_ns) {
    disarm_wake();
    return threads_->spin(most_ns);
  }

  // Blocks this thread until nothing accepted on the descriptor is left unsettled (closeSync, H4). False, and
  // nothing is waited for: a close that keeps the number was accepted, and is not forgotten yet.
  bool settle_descriptor(int fd);
  // Blocks until everything accepted that changes a file or a directory has settled (exit, H28). Jobs on
  // trees and large files are cancelled when their slice is over.
  void settle_writes();
  // Whether every write on this number has written all of its bytes, as far as the engine knows.
  bool writes_reach(int fd) const {
    const Descriptor* descriptor = descriptors_.find(fd);
    return descriptor != nullptr && !descriptor->write_failed;
  }
  // Blocks until nothing is in flight; nothing new may be accepted afterwards (teardown, H1).
  void drain();

  size_t unsettled() const { return unsettled_; }
  // Taken and not given back: those that have settled wait to be delivered.
  size_t requests() const { return slots_.taken(); }
  size_t in_flight() const;
  // Of those, the ones that a kernel queue or a thread is working on; the others wait in the pool's queue, or
  // to be reaped.
  size_t active() const;
  const IoBackend& backend() const { return *backend_; }
  // The same, when it is sure what it is: what a ring can do is known when it has been made.
  const IoBackend& settled_backend() {
    if (backend_->type() == BackendType::kUring) make_backend();
    return *backend_;
  }
  const Statistics& statistics() const { return statistics_; }
  InlineFuse* inline_fuse() { return inline_lane_.fuse(); }

  // calls_in_flight.cc
  // Calls that were accepted at least so long ago and have not settled, the oldest first.
  std::vector<CallInFlight> calls_in_flight(uint64_t least_age_ns);
  // The same for those that it has not named before.
  std::vector<CallInFlight> slow_calls(uint64_t least_age_ns);
  // How old the oldest is that slow_calls() has not named; 0 where there is none.
  uint64_t oldest_call_ns();

 private:
  // accept.cc
  Request* new_request(Operation operation, Descriptor* descriptor, uint32_t flags);
  Descriptor* usable(int fd, uint32_t flags) {
    Descriptor* descriptor = descriptors_.find(fd);
    const bool known = descriptor != nullptr && ((flags & kFlagTrusted) != 0 || !descriptor->known());
    return known ? descriptor : identify(fd);
  }
  Descriptor* identify(int fd);
  int32_t close_unknown(int fd, uint32_t flags);
  bool still_same_file(Descriptor* descriptor);
  int32_t accept(Request* request);
  void count_inline(FilesystemKind kind, int32_t result);
  void place(Request* request);
  void keep_in_order(Request* request);
  bool try_inline(Descriptor* descriptor, const iovec* vectors, uint32_t count, uint64_t wanted,
                  int64_t position, uint32_t flags, int32_t* result, uint64_t* done);
  bool joins_batch(Descriptor* descriptor, uint64_t wanted, int64_t position);
  Gate gate_of(Operation operation, const Descriptor* descriptor, uint64_t wanted, int64_t position) const;
  void start_unknown(Request* request);

  // calls_in_flight.cc
  std::vector<CallInFlight> calls_of(std::vector<Request*>* requests);
  CallInFlight call_of(const Request* request);
  FilesystemKind kind_of(const Request* request);

  // paths.cc
  void count_inline(const char* path, int32_t result);
  bool looks_up_here(const char* path);
  void count(Request* request);
  void uncount(const Request* request);
  uint16_t mount_queue_of(const Request* request);
  void to_pool(Request* request);
  void read_mounts();
  void learn_mounts(Request* request, int32_t result);
  void await_no_remote_ones();
  int32_t accept_look_up(Operation operation, std::unique_ptr<PathJob> job, uint32_t flags);
  static bool may_be_answered_here(const Request* request);
  int32_t answer_here(Operation operation, PathJob* job);
  int32_t read_whole_here(const char* path, WholeFile* file, char* memory, bool* learn);
  bool stats_at_once(const Descriptor* descriptor);
  int32_t stat_here(Descriptor* descriptor, struct statx* status);
  void route_stat(Request* request);
  bool settle_here(Request* request);
  // Whether a path may be looked up here and now: not while a change of paths that was
  // called earlier may still be waiting for a thread. Calls on paths start in the order of the calls.
  bool paths_are_settled() const {
    return unsettled_path_changes_ == 0 && foreign_change_turn_ != turn_ && !path_order_.has_change();
  }
  static bool may_change_paths(const Request* request);
  void start_path(Request* request);
  void wait_behind(Request* earlier, Request* request);
  void start_behind(Request* settled);
  void learn_from(const Request* request);

  // first_look.cc
  void end_first_looks();

  // routing.cc
  void pump(Descriptor* descriptor);
  void start(Request* request);
  bool start_direct(Request* request);
  void route(Request* request);
  void route_read(Request* request);
  void route_remote(Request* request);
  bool with_staging(Request* request);
  bool staging_is_full(uint64_t bytes) const;
  void start_unstaged();
  void route_close(Request* request);
  bool closes_at_once(const Descriptor* descriptor);
  bool fits_kernel_lane(Request* request);
  bool extends_file(const Request* request) const;
  void to_backend(Request* request);
  bool make_backend();
  bool make_backend_for(const Request* request);
  void to_threads(Request* request);
  void submit_ready();
  size_t submit_timed(Request* const* batch, size_t count);
  void bar_mounts(Request* const* batch, size_t count);
  void bar_direct_writes(Request* const* batch, size_t count);
  void run_cached();
  bool batches_pay();
  void batch_cached();
  bool can_start_more() const;

  // device_queues.cc
  bool has_tags(Request* request);
  void release_tags(Request* request);
  void direct_to_threads(Request* request);

  // merging.cc
  void merge_ready();
  Request* make_merged(Request* first, RequestQueue* others, uint64_t bytes);

  // loop.cc
  size_t reap_from(IoBackend* backend);

  // completion.cc
  void complete(Request* request, int32_t result);
  void complete_merged(Request* merged, int32_t result);
  void resume(Request* request);
  void cancel_job(Request* request);
  bool retry(Request* request, int32_t* result);
  bool read_up_to_size(Request* request, uint64_t attempt_end);
  bool is_end_of_file(const Request* request) const;
  void reroute_to_threads(Request* request);
  void settle(Request* request, int32_t result);
  void finish(Request* request);
  void leave_descriptor(const Request* request, int32_t result);
  void learn_opened(const Request* request, int32_t result);
  bool learn_file(Request* request, int32_t result);

  // drain.cc
  void cancel_queued();
  void cancel(Request* request);
  template <typename Done>
  void wait_until(Done done, ThreadPool::Wanted awaited, const void* argument);
  bool run_queued(ThreadPool::Wanted awaited, const void* argument);

  std::unique_ptr<IoBackend> backend_;
  std::unique_ptr<ThreadsBackend> own_threads_;  // null when the backend itself is the pool
  ThreadsBackend* threads_ = nullptr;
  const int wake_fd_;

  Slots slots_;
  DescriptorTable descriptors_;
  InlineLane inline_lane_;
  InlinePaths inline_paths_{inline_lane_.fuse()};
  InlineFuse write_fuse_;  // mounts on which handing a direct write over has slept
  RequestQueue cached_;    // reads known to be cached, not yet served: inline or in one batch
  PathOrder path_order_;
  RequestQueue released_;  // calls on paths that waited for one that has settled
  bool releasing_ = false;
  std::vector<Request*> first_looks_;  // of watchers, which node:fs takes
  int32_t last_first_look_ = 0;
  uint32_t looked_up_ = 0;  // paths in this turn, on this thread
  MountTable mounts_;
  RequestQueue unplaced_;                  // calls on paths that wait for the list of mounts
  std::unique_ptr<WholeFile> spare_file_;  // of the last readFile that was answered at once
  RequestQueue ready_;                     // for the backend
  DeviceQueues device_queues_;             // direct requests that wait for tags of their device
  RequestQueue unstaged_;                  // reads that wait for staging memory
  bool unstaging_ = false;                 // the first of them is on its way
  uint64_t staged_bytes_ = 0;
  uint64_t staged_remote_bytes_ = 0;
  RequestQueue finished_;
  RequestQueue early_;  // finished in the iteration of the loop that accepted them
  bool early_allowed_ = true;
  RequestQueue held_back_;                // JavaScript must not see these before the next check phase
  uint32_t check_phase_ = 0;              // how many have begun
  size_t mergeable_ = 0;                  // direct requests that joined the ready list since the last submit
  uint32_t batches_missed_ = 0;           // of cached reads, for want of a context that is not made yet
  bool batching_ = false;                 // the last turn had enough cached reads to serve them in one submit
  bool blocking_ = false;                 // this thread waits in wait_until() and delivers nothing
  bool stopping_ = false;                 // drain() has begun: nothing is started any more
  std::atomic<bool> ending_jobs_{false};  // jobs end with the slice that they are in; pool threads look, too
  uint32_t turn_ = 1;
  uint32_t foreign_change_turn_ = 0;
  uint32_t round_ = 0;
  size_t unsettled_ = 0;  // accepted and not settled
  size_t unsettled_writes_ = 0;
  size_t unsettled_path_changes_ = 0;
  Statistics statistics_;
};

}  // namespace ioengine
