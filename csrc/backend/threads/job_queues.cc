#include "backend/threads/job_queues.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"
#include "jobs/open_file.h"
#include "jobs/path_job.h"

namespace ioengine {
namespace {

PathPair paths_of(const Request* request) {
  if (request->open != nullptr) return {request->open->path, {}};
  if (request->job != nullptr) return request->job->paths();
  return {};
}

// As it is written. Empty where there is no path.
std::string_view folder_of(std::string_view path) {
  if (path.empty()) return {};
  const size_t slash = path.find_last_of('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_at_or_below(std::string_view path, std::string_view folder) {
  if (folder == ".") return !path.empty() && path[0] != '/';
  if (path.substr(0, folder.size()) != folder) return false;
  return path.size() == folder.size() || path[folder.size()] == '/';
}

}  // namespace

JobQueues::JobQueues(size_t processors)
    : processors_(std::min(std::max<size_t>(processors, 1), limits::pool_threads)),
      wide_(limits::pool_threads) {
  queues_.push_back(std::make_unique<JobQueue>());
}

JobQueue* JobQueues::queue_of(const Request* request) {
  if (request->suspect != 0) return suspects_[request->suspect - 1].get();
  while (queues_.size() <= request->mount_queue) {
    queues_.push_back(std::make_unique<JobQueue>());
    queues_.back()->allowed = limits::mount_threads_first;
  }
  return queues_[request->mount_queue].get();
}

void JobQueues::append(Request* request) {
  request->suspect = 0;
  JobQueue* queue = suspect_count_ > 0 ? suspect_of(request) : queue_of(request);
  request->next = nullptr;
  (queue->tail != nullptr ? queue->tail->next : queue->head) = request;
  queue->tail = request;
  ++waiting_;
}

Request* JobQueues::pop(JobQueue* queue) {
  Request* request = queue->head;
  queue->head = request->next;
  if (queue->head == nullptr) queue->tail = nullptr;
  request->next = nullptr;
  --waiting_;
  return request;
}

// A mount's first threads are there for it even when others hold all that they may; and local files have room
// left in any case.
bool JobQueues::may_run(size_t queue) const {
  const JobQueue& jobs = *queue_at(queue);
  if (jobs.empty()) return false;
  if (queue == 0) return has_width();
  if (jobs.running >= jobs.allowed) return false;
  const bool among_first = jobs.running < limits::mount_threads_first;
  return remote_running_ < limits::mounts_threads_max + (among_first ? limits::mount_threads_reserve : 0);
}

bool JobQueues::may_take() const {
  if (waiting_ == 0) return false;
  for (size_t i = 0; i < queues(); ++i) {
    if (may_run(i)) return true;
  }
  return false;
}

Request* JobQueues::take() {
  if (waiting_ == 0) return nullptr;
  for (size_t i = 0; i < queues(); ++i) {
    if (++turn_ >= queues()) turn_ = 0;
    if (!may_run(turn_)) continue;
    JobQueue* queue = queue_at(turn_);
    ++queue->running;
    ++running_;
    if (turn_ != 0) ++remote_running_;
    return pop(queue);
  }
  return nullptr;
}

// One after a slow one would wait, so only while there are none.
size_t JobQueues::take_batch(Request** into) {
  if (!are_short()) return 0;
  JobQueue* queue = queues_[0].get();
  const size_t share = std::min(waiting_ / processors_, limits::batch_jobs - 1);
  size_t count = 0;
  while (count < share && !queue->empty() && queue->head->batchable) into[count++] = pop(queue);
  in_batches_ += count;
  return count;
}

void JobQueues::put_back(Request* const* requests, size_t count) {
  JobQueue* queue = queues_[0].get();
  for (size_t i = count; i-- > 0;) {
    requests[i]->next = queue->head;
    queue->head = requests[i];
    if (queue->tail == nullptr) queue->tail = requests[i];
    ++waiting_;
  }
  in_batches_ -= count;
}

void JobQueues::ended(const Request* request, bool counted, bool was_short) {
  JobQueue* queue = queue_of(request);
  IOE_CHECK(queue->running > 0);
  --queue->running;
  --running_;
  if (queue == queues_[0].get()) {
    if (!counted) --queue->stuck;
    if (!was_short) {
      slow_ = limits::wide_jobs;
    } else if (slow_ > 0) {
      --slow_;
    }
    return;
  }
  --remote_running_;
  const bool idle = queue->running == 0 && queue->empty();
  if (request->suspect != 0 && idle) {
    queue->suspect.clear();
    --suspect_count_;
  }
  // A mount that has had nothing to do begins with a few again: it may have died meanwhile.
  if (idle) queue->allowed = limits::mount_threads_first;
  if (!queue->empty() && queue->allowed < limits::mount_threads_max) ++queue->allowed;
}

// ---- suspects

JobQueue* JobQueues::suspect_of(Request* request) {
  if (request->mount_queue != 0) return queue_of(request);
  const PathPair paths = paths_of(request);
  for (size_t i = 0; i < suspects_.size(); ++i) {
    const std::string& suspect = suspects_[i]->suspect;
    if (suspect.empty()) continue;
    if (!is_at_or_below(paths.first, suspect) && !is_at_or_below(paths.second, suspect)) continue;
    request->suspect = static_cast<uint16_t>(i + 1);
    break;
  }
  return queue_of(request);
}

// The path alone, which may be the link itself, or the whole folder, once several paths in it have hung.
// Its number, as Request::suspect has it; 0 where there are as many as may be.
uint16_t JobQueues::add_suspect(std::string_view path) {
  const std::string_view folder = folder_of(path);
  size_t in_folder = 0, free = suspects_.size();
  for (size_t i = suspects_.size(); i-- > 0;) {
    const std::string& suspect = suspects_[i]->suspect;
    if (suspect.empty()) free = i;
    if (!suspect.empty() && folder_of(suspect) == folder) ++in_folder;
  }
  if (free == limits::suspects) return 0;
  if (free == suspects_.size()) suspects_.push_back(std::make_unique<JobQueue>());
  suspects_[free]->allowed = limits::mount_threads_first;
  suspects_[free]->suspect = in_folder < limits::suspects_of_folder || folder == "/" ? path : folder;
  ++suspect_count_;
  return static_cast<uint16_t>(free + 1);
}

// What is asked for below it leaves the queue of local files, in its order.
void JobQueues::move_waiting() {
  JobQueue* queue = queues_[0].get();
  Request* request = queue->head;
  queue->head = queue->tail = nullptr;
  while (request != nullptr) {
    Request* next = request->next;
    --waiting_;
    append(request);
    request = next;
  }
}

void JobQueues::suspect(Request* request, bool counted) {
  if (request->mount_queue != 0 || request->suspect != 0) return;
  const std::string_view path = paths_of(request).first;
  if (path.empty() || path == "/" || remote_running_ >= limits::mounts_threads_max) return;
  suspect_of(request);
  const bool is_new = request->suspect == 0;
  if (is_new) request->suspect = add_suspect(path);
  if (request->suspect == 0) return;
  JobQueue* local = queues_[0].get();
  --local->running;
  if (!counted) --local->stuck;
  JobQueue* queue = queue_of(request);
  ++queue->running;
  ++remote_running_;
  // Beside those that hang: not all that is there has to lead to the same server.
  ++queue->allowed;
  if (is_new) move_waiting();
}

bool JobQueues::declare_stuck(const Request* request) {
  if (request->mount_queue != 0 || request->suspect != 0) return false;
  ++queues_[0]->stuck;
  slow_ = limits::wide_jobs;
  return true;
}

Request* JobQueues::take_waiting() {
  Request* first = nullptr;
  Request** link = &first;
  for (size_t i = 0; i < queues(); ++i) {
    JobQueue* queue = queue_at(i);
    *link = queue->head;
    if (queue->tail != nullptr) link = &queue->tail->next;
    queue->head = queue->tail = nullptr;
  }
  waiting_ = 0;
  return first;
}

Request* JobQueues::take_waiting_local() {
  JobQueue* queue = queues_[0].get();
  Request* const first = queue->head;
  for (const Request* request = first; request != nullptr; request = request->next) --waiting_;
  queue->head = queue->tail = nullptr;
  return first;
}

Request* JobQueues::take_waiting(Wanted wanted, const void* argument) {
  for (size_t i = 0; i < queues(); ++i) {
    JobQueue* queue = queue_at(i);
    Request* before = nullptr;
    for (Request* request = queue->head; request != nullptr; before = request, request = request->next) {
      if (!wanted(request, argument)) continue;
      (before != nullptr ? before->next : queue->head) = request->next;
      if (queue->tail == request) queue->tail = before;
      request->next = nullptr;
      --waiting_;
      return request;
    }
  }
  return nullptr;
}

}  // namespace ioengine
