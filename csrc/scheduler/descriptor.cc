#include "scheduler/descriptor.h"

#include "base/check.h"

namespace ioengine {

void RequestQueue::push(Request* request) {
  request->next = nullptr;
  if (tail_ != nullptr) {
    tail_->next = request;
  } else {
    head_ = request;
  }
  tail_ = request;
  ++size_;
}

void RequestQueue::push_front(Request* request) {
  request->next = head_;
  head_ = request;
  if (tail_ == nullptr) tail_ = request;
  ++size_;
}

Request* RequestQueue::pop() {
  Request* request = head_;
  if (request == nullptr) return nullptr;
  head_ = request->next;
  if (head_ == nullptr) tail_ = nullptr;
  request->next = nullptr;
  --size_;
  return request;
}

bool Descriptor::admits(const Request* request) const {
  switch (request->gate) {
    case Gate::kShared:
      return !exclusive_running;
    case Gate::kSerial:
      return !exclusive_running && !serial_running;
    case Gate::kExclusive:
    case Gate::kClose:
      return running == 0;
  }
  return false;
}

void Descriptor::enter(const Request* request) {
  ++running;
  if (request->gate == Gate::kSerial) serial_running = true;
  if (request->gate == Gate::kExclusive || request->gate == Gate::kClose) exclusive_running = true;
}

void Descriptor::leave(const Request* request) {
  IOE_CHECK(running > 0);
  --running;
  if (request->gate == Gate::kSerial) serial_running = false;
  if (request->gate == Gate::kExclusive || request->gate == Gate::kClose) exclusive_running = false;
}

DescriptorTable::~DescriptorTable() {
  for (Descriptor* descriptor : by_number_) {
    IOE_CHECK(descriptor == nullptr || descriptor->pending == 0);
    delete descriptor;
  }
}

Descriptor* DescriptorTable::find(int fd) const {
  if (fd < 0 || static_cast<size_t>(fd) >= by_number_.size()) return nullptr;
  return by_number_[static_cast<size_t>(fd)];
}

Descriptor* DescriptorTable::find_or_add(int fd) {
  const size_t index = static_cast<size_t>(fd);
  if (index >= by_number_.size()) by_number_.resize(index + index / 2 + 64, nullptr);
  Descriptor*& entry = by_number_[index];
  if (entry == nullptr) {
    entry = new Descriptor(fd);
    ++size_;
  }
  return entry;
}

void DescriptorTable::detach(Descriptor* descriptor) {
  IOE_CHECK(!descriptor->detached);
  by_number_[static_cast<size_t>(descriptor->fd)] = nullptr;
  descriptor->detached = true;
  --size_;
  if (descriptor->pending == 0) delete descriptor;
}

void DescriptorTable::release(Descriptor* descriptor) {
  if (descriptor->detached && descriptor->pending == 0) delete descriptor;
}

}  // namespace ioengine
