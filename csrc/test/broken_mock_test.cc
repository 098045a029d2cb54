// The tests can fail: each way of being a broken backend turns the random operations red, and the same run
// without the defect is green.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "test/check.h"
#include "test/workload.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

int status_with(MockDefect defect, uint32_t alignment) {
  return status_of_child([=] {
    MockOptions options;
    options.seed = 7;
    options.defect = defect;
    options.short_permille = 100;
    Engine engine(options);
    engine.set_stuck_ms(1000);
    WorkloadOptions work;
    work.seed = 7;
    work.steps = 200;
    work.alignment = alignment;
    Workload workload(&engine, Workload::mock_files(&engine, alignment), work);
    workload.run();
  });
}

void require_red(const char* name, MockDefect defect) {
  for (uint32_t alignment : {1u, 512u}) {
    const int status = status_with(defect, alignment);
    std::printf("%s, alignment %u: %s\n", name, alignment, describe_status(status).c_str());
    CHECK(!ended_well(status));
    // Found by a check, not by running into the time limit.
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 1) ||
          (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
  }
}

// The engine itself stops at a completion for a request that nobody has any more: the kernel may be writing
// into memory that is somebody else's.
void require_abort_for_a_stranger() {
  const int status = status_of_child([] {
    MockOptions options;
    options.defect = MockDefect::kDoubleCompletion;
    options.defect_at = 1;
    Engine engine(options);
    const int fd = engine.create(8192, 8192);
    GuardedBuffer memory(4096);
    engine.until_settled(engine.read(fd, memory.data(), memory.size(), 0));
    engine.turn();
    _exit(0);
  });
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

}  // namespace

int main() {
  require_abort_for_a_stranger();
  for (uint32_t alignment : {1u, 512u}) CHECK(ended_well(status_with(MockDefect::kNone, alignment)));
  require_red("one wrong byte", MockDefect::kWrongByte);
  require_red("one lost completion", MockDefect::kLostCompletion);
  require_red("one doubled completion", MockDefect::kDoubleCompletion);
  require_red("one short result reported as full", MockDefect::kShortReportedFull);
  return 0;
}
