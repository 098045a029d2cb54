// The same random operations on each real backend, against files on the disk that holds the temporary files,
// buffered and with O_DIRECT, with a depth that is always exceeded and with the full one.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "base/limits.h"
#include "test/check.h"
#include "test/workload.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

// The lane that a direct request takes on this backend: the proof that the backend ran.
Lane lane_of(BackendType type) {
  switch (type) {
    case BackendType::kUring:
      return Lane::kUring;
    case BackendType::kAio:
      return Lane::kAio;
    default:
      return Lane::kThreads;
  }
}

bool takes_direct() {
  const int fd = open((temporary_folder() + "/probe").c_str(), O_RDWR | O_CREAT | O_DIRECT, 0600);
  if (fd == -1) return false;
  close(fd);
  return true;
}

void run_one(Engine* engine, BackendType type, uint64_t seed, bool direct) {
  WorkloadOptions work;
  work.seed = seed;
  work.alignment = direct ? 4096 : 1;
  work.steps = 500;
  Workload workload(engine, Workload::real_files(engine, direct ? O_DIRECT : 0), work);
  workload.run();
  if (direct) {
    CHECK((*engine)->statistics().lanes[static_cast<size_t>(lane_of(type))].operations > work.steps / 4);
  }
}

}  // namespace

int main() {
  const bool direct_works = takes_direct();
  if (!direct_works) std::printf("%s takes no O_DIRECT: buffered only\n", temporary_folder().c_str());
  uint32_t backends = 0;
  for (BackendType type : {BackendType::kUring, BackendType::kAio, BackendType::kThreads}) {
    for (uint32_t depth : {4u, limits::depth}) {
      for (bool direct : {false, true}) {
        if (direct && !direct_works) continue;
        for (uint64_t seed = 1; seed <= 2; ++seed) {
          set_context(std::string(backend_type_name(type)) + ", depth " + std::to_string(depth) +
                      (direct ? ", direct" : ", buffered") + ", seed " + std::to_string(seed));
          Engine engine(type, depth);
          if (!engine.ok()) {
            std::printf("%s\n", engine.reason().c_str());
            continue;
          }
          ++backends;
          run_one(&engine, type, seed, direct);
        }
      }
    }
  }
  CHECK(backends > 0);
  return direct_works ? 0 : skipped("the folder for temporary files takes no O_DIRECT");
}
