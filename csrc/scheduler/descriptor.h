// Per-descriptor state: what is known of the file, and the gate that orders operations on it.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/request.h"
#include "base/check.h"
#include "jobs/access_time.h"
#include "jobs/file_facts.h"

namespace ioengine {

// FIFO of requests linked through Request::next.
class RequestQueue {
 public:
  bool empty() const { return head_ == nullptr; }
  size_t size() const { return size_; }
  Request* front() const { return head_; }

  void push(Request* request) {
    request->next = nullptr;
    if (tail_ != nullptr) {
      tail_->next = request;
    } else {
      head_ = request;
    }
    tail_ = request;
    ++size_;
  }

  void push_front(Request* request) {
    request->next = head_;
    head_ = request;
    if (tail_ == nullptr) tail_ = request;
    ++size_;
  }

  // Takes all of the other queue, in its order.
  void append(RequestQueue* other) {
    if (other->empty()) return;
    if (tail_ != nullptr) {
      tail_->next = other->head_;
    } else {
      head_ = other->head_;
    }
    tail_ = other->tail_;
    size_ += other->size_;
    *other = RequestQueue();
  }

  Request* pop() {
    Request* request = head_;
    if (request == nullptr) return nullptr;
    head_ = request->next;
    if (head_ == nullptr) tail_ = nullptr;
    request->next = nullptr;
    --size_;
    return request;
  }

 private:
  Request* head_ = nullptr;
  Request* tail_ = nullptr;
  size_t size_ = 0;
};

enum class Knowledge : uint8_t { kUnknown, kAsking, kKnown };

// The gate. Operations wait in one FIFO; the head starts when
//   kShared     no exclusive operation runs
//   kSerial     the same, and no other serial one runs
//   kExclusive  nothing runs
//   kClose      nothing runs; the descriptor takes no operation after it
struct Descriptor {
  explicit Descriptor(int number) : fd(number) {}

  const int fd;
  Knowledge knowledge = Knowledge::kUnknown;
  uint16_t mount_queue = 0;  // while the file is not known: where it seems to be
  FileFacts facts;

  uint32_t running = 0;
  bool serial_running = false;
  bool exclusive_running = false;
  bool closing = false;  // a close has been accepted
  bool keeps_number =
      false;             // and leaves the number taken: the object stays in the table until it is forgotten
  bool pumping = false;  // pump() is at it: what it starts may settle at once, and must not start it again
  bool write_failed = false;        // a write has left bytes out: what follows it would stand behind a gap
  bool waits_only = false;          // the file refused RWF_NOWAIT for direct requests
  bool detached = false;            // out of the table: the number may already belong to another file
  uint32_t pending = 0;             // accepted and not settled, waiting or running
  const Request* change = nullptr;  // the latest write or truncation, until it settles
  uint32_t change_turn = 0;         // when it was accepted
  RequestQueue waiting;

  // Trust in the page cache, earned by hits (scheduler/inline_lane.h).
  uint16_t warm_credit = 0;
  uint16_t warm_streak = 0;
  uint64_t quiet_since_ns = 0;  // when a look at the file said that reading it touches nothing else
  AccessTimeTrial access_time_trial;
  uint32_t checked_turn = 0;  // identity of a plain number was last checked in this turn

  bool known() const { return knowledge == Knowledge::kKnown; }
  bool remote() const { return known() && facts.kind == FileKind::kRemote; }
  bool foreign() const { return known() && facts.kind == FileKind::kForeign; }

  // Whether an operation accepted now sees what the latest change of the same turn does: it waits for it
  // then. A negative position is one that only the kernel knows.
  bool follows_change(uint32_t turn, int64_t position, uint64_t bytes) const {
    if (change == nullptr || change_turn != turn) return false;
    if (change->operation != Operation::kWrite || position < 0) return true;
    if (change->has(kFlagCurrentPosition) || change->has(kFlagAppend)) return true;
    const uint64_t from = static_cast<uint64_t>(position);
    return from < change->offset + change->remaining() && change->offset < from + bytes;
  }

  bool admits(const Request* request) const {
    if (request->gate == Gate::kShared) return !exclusive_running;
    if (request->gate == Gate::kSerial) return !exclusive_running && !serial_running;
    return running == 0;
  }

  void enter(const Request* request) {
    ++running;
    if (request->gate != Gate::kShared) mark(request->gate, true);
  }

  void leave(const Request* request) {
    IOE_CHECK(running > 0);
    --running;
    if (request->gate != Gate::kShared) mark(request->gate, false);
  }

 private:
  void mark(Gate gate, bool is_running) {
    (gate == Gate::kSerial ? serial_running : exclusive_running) = is_running;
  }
};

// Descriptors by number, for one engine. A pointer stays valid while `pending` is not zero.
class DescriptorTable {
 public:
  ~DescriptorTable();
  Descriptor* find(int fd) const {
    // A negative number is larger than any size.
    const size_t index = static_cast<size_t>(fd);
    return index < by_number_.size() ? by_number_[index] : nullptr;
  }
  Descriptor* find_or_add(int fd);
  // Takes the number out of the table. The object is freed at once when nothing is pending, else by
  // release().
  void detach(Descriptor* descriptor);
  void release(Descriptor* descriptor) {
    if (descriptor->detached && descriptor->pending == 0) delete descriptor;
  }
  size_t size() const { return size_; }

  template <typename Visit>
  void for_each(Visit visit) {
    for (size_t i = 0; i < by_number_.size(); ++i) {
      if (by_number_[i] != nullptr) visit(by_number_[i]);
    }
  }

 private:
  std::vector<Descriptor*> by_number_;
  size_t size_ = 0;
};

}  // namespace ioengine
