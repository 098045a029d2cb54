// Requests on their way from one thread to another without a lock: any thread adds, the receiver takes all at
// once. Linked through `next`, the newest first.
#pragma once

#include <atomic>

#include "backend/request.h"

namespace ioengine {

class RequestStack {
 public:
  // A chain that is linked the newest first already.
  void push(Request* newest, Request* oldest) {
    Request* top = top_.load(std::memory_order_relaxed);
    do {
      oldest->next = top;
    } while (!top_.compare_exchange_weak(top, newest, std::memory_order_seq_cst, std::memory_order_relaxed));
  }

  // Sequentially consistent, like push(): of one who adds and looks whether the receiver sleeps, and a
  // receiver who says that it is going to and looks here, at least one sees the other.
  bool empty() const { return top_.load(std::memory_order_seq_cst) == nullptr; }

  // Everything, the oldest first. Sequentially consistent: what was pushed by one who saw that the receiver
  // was called already is found by the receiver that then says that it looks, and looks here.
  Request* take_all() {
    if (empty()) return nullptr;
    Request* newest = top_.exchange(nullptr, std::memory_order_acquire);
    Request* oldest = nullptr;
    while (newest != nullptr) {
      Request* next = newest->next;
      newest->next = oldest;
      oldest = newest;
      newest = next;
    }
    return oldest;
  }

 private:
  std::atomic<Request*> top_{nullptr};
};

}  // namespace ioengine
