#include "scheduler/slots.h"

#include "backend/file_facts.h"
#include "base/check.h"
#include "memory/aligned_block.h"
#include "scheduler/bounce.h"
#include "scheduler/staging.h"

namespace ioengine {

Request* Slots::take() {
  if (free_.empty()) {
    const size_t first = chunks_.size() * kChunk;
    chunks_.emplace_back(new Request[kChunk]);
    for (size_t i = kChunk; i-- > 0;) {
      Request* request = &chunks_.back()[i];
      request->slot = static_cast<uint32_t>(first + i);
      free_.push_back(request);
    }
  }
  Request* request = free_.back();
  free_.pop_back();
  IOE_CHECK((request->generation & 1) == 0);
  ++request->generation;
  ++taken_;
  return request;
}

void Slots::give_back(Request* request) {
  IOE_CHECK((request->generation & 1) == 1);
  ++request->generation;
  if (request->owned_vectors != nullptr) {
    delete[] request->owned_vectors;
    request->owned_vectors = nullptr;
  }
  if (request->bounce != nullptr) {
    delete request->bounce;
    request->bounce = nullptr;
  }
  if (request->staging != nullptr) {
    delete request->staging;
    request->staging = nullptr;
  }
  if (request->open != nullptr) {
    delete request->open;
    request->open = nullptr;
  }
  if (request->block != nullptr) {
    request->block->release();
    request->block = nullptr;
  }
  if (request->blocks != nullptr) {
    for (uint32_t i = 0; i < request->block_count; ++i) {
      if (request->blocks[i] != nullptr) request->blocks[i]->release();
    }
    delete[] request->blocks;
    request->blocks = nullptr;
  }
  request->holds_all_memory = false;
  request->flags = 0;
  request->done = 0;
  request->vectors = nullptr;
  request->vector_count = 0;
  request->next = nullptr;
  request->descriptor = nullptr;
  free_.push_back(request);
  --taken_;
}

}  // namespace ioengine
