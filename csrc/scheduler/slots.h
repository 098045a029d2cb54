// Request slots: grown in chunks, reused last-in first-out while hot, never given back while the engine
// lives, so the address of a request is always safe to read. JavaScript indexes its own arrays by the same
// slot numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/request.h"
#include "base/check.h"

namespace ioengine {

class Slots {
 public:
  // Never fails: a full engine queues, it does not refuse.
  Request* take() {
    if (free_ == nullptr) add_chunk();
    Request* request = free_;
    free_ = request->next;
    request->next = nullptr;
    IOE_CHECK((request->generation & 1) == 0);
    ++request->generation;
    ++taken_;
    return request;
  }

  // Frees what the request owns and clears its flags; IoContext::new_request sets everything else anew.
  void give_back(Request* request) {
    IOE_CHECK((request->generation & 1) == 1);
    ++request->generation;
    if (request->owns_anything()) release_owned(request);
    request->flags = 0;
    request->next = free_;
    free_ = request;
    --taken_;
  }
  size_t taken() const { return taken_; }
  template <typename Visit>
  void for_each_taken(Visit visit) {
    for (const auto& chunk : chunks_) {
      for (size_t i = 0; i < kChunk; ++i) {
        if ((chunk[i].generation & 1) == 1) visit(&chunk[i]);
      }
    }
  }
  // Null for a number that no request has.
  const Request* taken_at(uint32_t slot) const {
    if (slot / kChunk >= chunks_.size()) return nullptr;
    const Request* request = &chunks_[slot / kChunk][slot % kChunk];
    return (request->generation & 1) == 1 ? request : nullptr;
  }

 private:
  static constexpr size_t kChunk = 256;
  std::vector<std::unique_ptr<Request[]>> chunks_;
  static void release_owned(Request* request);
  void add_chunk();

  Request* free_ = nullptr;  // linked through Request::next
  size_t taken_ = 0;
};

}  // namespace ioengine
