// The first look of a watcher holds changes of paths back until its end, and for no longer, also where its
// end never comes because the thread waits or ends.
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <memory>
#include <string>

#include "jobs/path_syscalls.h"
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

MockOptions in_order() {
  MockOptions options;
  options.reorder = false;
  options.delay_rounds_max = 0;
  return options;
}

struct Change {
  const std::string path = "/tmp/ioengine-first-look-" + std::to_string(getpid());
  std::shared_ptr<Ticket> accept(Engine* engine) const {
    return engine->run_in_pool(Operation::kChangePath, std::make_unique<MakeDirectoryJob>(path, 0700));
  }
  bool is_there() const { return access(path.c_str(), F_OK) == 0; }
  ~Change() { rmdir(path.c_str()); }
};

void a_change_waits_for_the_end() {
  set_context("a change behind the first look of a watcher");
  Engine engine(in_order());
  const Change change;
  const int32_t look = engine->begin_first_look(std::make_unique<FirstLookJob>("/somewhere"));
  CHECK(look > 0);
  change.accept(&engine);
  for (int i = 0; i < 5; ++i) {
    engine.turn();
    usleep(10'000);  // a thread of the pool would have begun by then
  }
  CHECK(!change.is_there());
  engine->end_first_look(look);
  engine.until_idle();
  CHECK(change.is_there());
  engine->end_first_look(look);  // over already
}

void a_thread_that_waits_does_not_wait_for_javascript() {
  set_context("the exit of the process beside the first look of a watcher");
  Engine engine(in_order());
  const Change change;
  const int32_t look = engine->begin_first_look(std::make_unique<FirstLookJob>("/somewhere"));
  change.accept(&engine);
  engine->settle_writes();
  CHECK(change.is_there());
  engine.deliver();
  engine->end_first_look(look);
  CHECK(!engine->has_undelivered());
}

void the_end_of_the_engine_ends_them() {
  set_context("the end of the engine beside the first look of a watcher");
  Engine engine(in_order());
  const Change change;
  engine->begin_first_look(std::make_unique<FirstLookJob>("/somewhere"));
  change.accept(&engine);
  engine.end();
  CHECK(!change.is_there());
}

uint64_t cpu_ns() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000000000u + static_cast<uint64_t>(time.tv_nsec);
}

// Red when each goes along all those that wait already: minutes of the JavaScript thread.
void many_wait_behind_one() {
  set_context("many calls behind one change");
  constexpr int kCalls = 60000;
  Engine engine(in_order());
  const Change change;
  const int32_t look = engine->begin_first_look(std::make_unique<FirstLookJob>("/somewhere"));
  change.accept(&engine);
  const uint64_t before = cpu_ns();
  int32_t last = 0;
  for (int i = 0; i < kCalls; ++i)
    engine.run_in_pool(Operation::kReadLink, std::make_unique<ReadLinkJob>(change.path + "/link"),
                       [&](PathJob*, int32_t result) { last = result; });
  CHECK(cpu_ns() - before < uint64_t{3} * 1000 * 1000 * 1000);
  engine->end_first_look(look);
  engine.until_idle();
  CHECK_EQ(last, -ENOENT);
}

}  // namespace

int main() {
  a_change_waits_for_the_end();
  a_thread_that_waits_does_not_wait_for_javascript();
  the_end_of_the_engine_ends_them();
  many_wait_behind_one();
  return 0;
}
