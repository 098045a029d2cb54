// Thousands of random operations on the mock backend, under every kind of misbehaviour and many seeds: each
// settles exactly once, with the right bytes.
#include <cstdio>

#include "test/check.h"
#include "test/workload.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

struct Mode {
  const char* name;
  void (*set)(MockOptions*);
  bool may_fail;
};

const Mode kModes[] = {
    {"in order, at once", [](MockOptions* o) { o->reorder = false, o->delay_rounds_max = 0; }, false},
    {"late and out of order", [](MockOptions* o) { o->delay_rounds_max = 9; }, false},
    {"short results", [](MockOptions* o) { o->short_permille = 500; }, false},
    {"EINTR and EAGAIN", [](MockOptions* o) { o->eintr_permille = 200, o->eagain_permille = 200; }, false},
    {"EOPNOTSUPP", [](MockOptions* o) { o->eopnotsupp_permille = 400; }, false},
    {"EIO", [](MockOptions* o) { o->eio_permille = 150, o->short_permille = 200; }, true},
    {"partial submits", [](MockOptions* o) { o->partial_submit_permille = 700; }, false},
    {"refuses for a while", [](MockOptions* o) { o->refused_submits = 200; }, false},
    {"depth of one", [](MockOptions* o) { o->depth = 1, o->short_permille = 200; }, false},
    {"serves at submit", [](MockOptions* o) { o->serves_at_submit = true, o->delay_rounds_max = 0; }, false},
    {"as AIO: direct only", [](MockOptions* o) { o->buffered_reads = o->buffered_writes = false; }, false},
    {"everything",
     [](MockOptions* o) {
       o->depth = 5;
       o->short_permille = o->partial_submit_permille = 300;
       o->eintr_permille = o->eagain_permille = o->eopnotsupp_permille = o->eio_permille = 60;
     },
     true},
};

void run_one(const Mode& mode, uint64_t seed, uint32_t alignment) {
  set_context(std::string(mode.name) + ", seed " + std::to_string(seed) + ", alignment " +
              std::to_string(alignment));
  MockOptions options;
  options.seed = seed;
  mode.set(&options);
  Engine engine(options);
  WorkloadOptions work;
  work.seed = seed * 1000 + alignment;
  work.alignment = alignment;
  work.may_fail = mode.may_fail;
  work.steps = 300;
  DeviceTags tags;  // every other time too few for all that is outstanding
  tags.set_limits({5, 8192, 4});
  const bool bounded = seed % 2 == 0;
  Workload workload(&engine, Workload::mock_files(&engine, alignment, bounded ? &tags : nullptr), work);
  workload.run();
  CHECK_EQ(tags.held(), 0u);
  CHECK(engine.mock().in_flight_max() <= options.depth);
  const bool bypassed = alignment == 1 && !options.buffered_reads;
  if (!bypassed) CHECK(engine.mock().taken().size() > work.steps / 4);
  CHECK(engine->statistics().lanes[static_cast<size_t>(Lane::kInline)].operations == 0);
}

}  // namespace

int main() {
  for (const Mode& mode : kModes) {
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      for (uint32_t alignment : {1u, 512u, 4096u}) run_one(mode, seed, alignment);
    }
  }
  return 0;
}
