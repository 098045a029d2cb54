// Request slots: grown in chunks, reused last-in first-out while hot, never given back while the engine
// lives, so the address of a request is always safe to read. JavaScript indexes its own arrays by the same
// slot numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/request.h"

namespace ioengine {

class Slots {
 public:
  // Never fails: a full engine queues, it does not refuse (design rule 5).
  Request* take();
  // Resets everything but slot and generation; frees vectors, bounce memory and open job.
  void give_back(Request* request);
  size_t taken() const { return taken_; }

 private:
  static constexpr size_t kChunk = 256;
  std::vector<std::unique_ptr<Request[]>> chunks_;
  std::vector<Request*> free_;
  size_t taken_ = 0;
};

}  // namespace ioengine
