#include "scheduler/slots.h"

#include "base/check.h"
#include "jobs/open_file.h"
#include "jobs/path_job.h"
#include "memory/aligned_block.h"
#include "scheduler/bounce.h"
#include "scheduler/staging.h"

namespace ioengine {

void Slots::add_chunk() {
  const size_t first = chunks_.size() * kChunk;
  chunks_.emplace_back(new Request[kChunk]);
  for (size_t i = kChunk; i-- > 0;) {
    Request* request = &chunks_.back()[i];
    request->slot = static_cast<uint32_t>(first + i);
    request->next = free_;
    free_ = request;
  }
}

void Slots::release_owned(Request* request) {
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
  if (request->job != nullptr) {
    delete request->job;
    request->job = nullptr;
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
}

}  // namespace ioengine
