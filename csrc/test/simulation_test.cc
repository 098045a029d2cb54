// Simulated engines, a seed each: operations on files and paths, a device that completes them in any order,
// late, short and with errors, the pool's threads in any interleaving, faults in their system calls, closes,
// and the end of the thread in the middle of it. What the files hold and what each call may say is known.
//
//   IOENGINE_SIMULATION_SEED=N      this one alone, twice: a seed always makes the same run
//   IOENGINE_SIMULATION_SECONDS=N   new seeds for so long; else a fixed number of them
//
// `node scripts/native-tests.mjs simulation --seed N` sets the former. Seeds that have found something stay
// in simulation_seeds.h and run first.
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "faults/fault_plan.h"
#include "test/check.h"
#include "test/path_workload.h"
#include "test/simulated_threads.h"
#include "test/simulation_seeds.h"
#include "test/workload.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

struct Totals {
  uint64_t schedules = 0;
  uint64_t operations = 0;
  uint64_t switches = 0;
  uint64_t deaths = 0;
  uint64_t faults = 0;
};

MockOptions draw_device(Random* random, bool* may_fail) {
  MockOptions options;
  options.seed = random->next();
  options.depth = static_cast<uint32_t>(random->between(1, 24));
  options.delay_rounds_max = static_cast<uint32_t>(random->below(8));
  options.reorder = random->chance(800);
  options.buffered_reads = random->chance(700);
  options.buffered_writes = random->chance(700);
  options.serves_at_submit = random->chance(300);
  if (random->chance(500)) options.short_permille = 300;
  if (random->chance(300)) options.eagain_permille = options.eintr_permille = 100;
  if (random->chance(200)) options.eopnotsupp_permille = 200;
  if (random->chance(300)) options.partial_submit_permille = 400;
  if (random->chance(200)) options.refused_submits = 5;
  *may_fail = random->chance(250);
  if (*may_fail) options.eio_permille = 100;
  return options;
}

// In the system calls of the pool's threads: what nobody may notice.
void draw_fault(Random* random, uint32_t alignment) {
  using faults::Kind;
  using faults::Site;
  const struct {
    Site site;
    Kind kind;
    int32_t value;
  } kFaults[] = {
      {Site::preadv64, Kind::kError, EINTR},  {Site::preadv64, Kind::kShort, 0},
      {Site::readv, Kind::kError, EINTR},     {Site::readv, Kind::kShort, 0},
      {Site::pwritev64, Kind::kError, EINTR}, {Site::pwritev64, Kind::kShort, 0},
      {Site::writev, Kind::kError, EINTR},    {Site::writev, Kind::kShort, 0},
      {Site::write, Kind::kError, EINTR},     {Site::write, Kind::kShort, 0},
      {Site::pread64, Kind::kError, EINTR},   {Site::pread64, Kind::kShort, 0},
      {Site::open64, Kind::kError, EINTR},    {Site::fsync, Kind::kError, EINTR},
      {Site::unlink, Kind::kError, EINTR},    {Site::rename, Kind::kError, EINTR},
      {Site::close, Kind::kError, EINTR},     {Site::ftruncate64, Kind::kError, EINTR},
  };
  const auto& chosen = kFaults[random->below(sizeof kFaults / sizeof *kFaults)];
  faults::Fault fault;
  fault.site = chosen.site;
  fault.kind = chosen.kind;
  fault.value = chosen.value;
  // The files of the mock are no direct ones for the kernel, which would move part of a block.
  if (alignment > 1 && fault.kind == Kind::kShort) {
    fault.kind = Kind::kError;
    fault.value = EINTR;
  }
  fault.first = random->between(1, 12);
  fault.times = random->between(1, 5);
  faults::arm(fault);
}

struct Broken {
  MockDefect defect = MockDefect::kNone;
  uint32_t at = 10;
};

// One engine from its start to its end. The number is a digest of all that was decided and seen.
uint64_t run_one(uint64_t seed, Totals* totals, const Broken& broken = {}) {
  Random random(seed);
  bool may_fail = false;
  MockOptions device = draw_device(&random, &may_fail);
  device.defect = broken.defect;
  device.defect_at = broken.at;
  Engine* running = nullptr;
  uint64_t digest = 0;
  Simulation simulation(random.next(), [&running] {
    if (running != nullptr && running->ok()) running->mock().tick();
  });
  const uint32_t kAlignments[] = {1, 512, 4096};
  const uint32_t alignment = kAlignments[random.below(3)];
  draw_fault(&random, alignment);
  {
    Engine engine(device, true);
    running = &engine;
    engine.set_stuck_ms(100);  // of simulated time
    WorkloadOptions options;
    options.seed = random.next();
    options.may_fail = may_fail;
    options.alignment = alignment;
    DeviceTags tags;
    tags.set_limits({static_cast<uint32_t>(random.between(2, 9)), 8192, 4});
    const bool is_bounded = options.alignment > 1 && random.chance(500);
    constexpr uint64_t kRegion = 16 * 1024;
    DeviceTags* const bound = is_bounded ? &tags : nullptr;
    Workload files(&engine, Workload::mock_files(&engine, alignment, bound, kRegion), options);
    PathWorkload paths(&engine, random.next());
    const bool dies = random.chance(400);
    const uint64_t steps = random.between(10, 90);
    for (uint64_t i = 0; i < steps; ++i) {
      random.chance(800) ? files.step() : paths.step();
      if (random.chance(400)) engine.turn();
      if (random.chance(100) && engine.outstanding() > 0) engine.sleep_and_turn(100);
    }
    if (dies) {
      paths.die();
      files.die();
    } else {
      files.finish();
    }
    paths.compare();
    CHECK_EQ(tags.held(), 0u);
    simulation.note(engine.settled_count());
    totals->operations += engine.settled_count();
    totals->deaths += dies ? 1 : 0;
    if (!dies) engine.end();
    running = nullptr;
  }
  totals->faults += faults::happened();
  faults::disarm();
  totals->switches += simulation.switches();
  digest = simulation.digest();
  ++totals->schedules;
  return digest;
}

int status_of(uint64_t seed, const Broken& broken) {
  return status_of_child([=] {
    Totals totals;
    run_one(seed, &totals, broken);
  });
}

// The simulation can fail: with each way of being broken a few of the first seeds do, by a check.
void require_red(const char* name, MockDefect defect) {
  constexpr uint64_t kSeedsMax = 80;
  uint64_t red = 0, seed = 0;
  while (red < 2) {
    CHECK(++seed <= kSeedsMax);
    const int status = status_of(seed, {defect, 3});
    if (ended_well(status)) continue;
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 1) ||
          (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
    CHECK(ended_well(status_of(seed, {})));
    ++red;
  }
  std::printf("%s: %llu of %llu seeds are red\n", name, static_cast<unsigned long long>(red),
              static_cast<unsigned long long>(seed));
}

void run_seed(uint64_t seed, Totals* totals) {
  set_context("IOENGINE_SIMULATION_SEED=" + std::to_string(seed));
  run_one(seed, totals);
}

double seconds_now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

uint64_t number_of(const char* variable) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 0;
}

void print(const Totals& totals, double seconds) {
  std::printf(
      "%llu schedules in %.1f s: %llu operations, %llu switches of threads, %llu ends in the middle, "
      "%llu faults in the pool\n",
      static_cast<unsigned long long>(totals.schedules), seconds,
      static_cast<unsigned long long>(totals.operations), static_cast<unsigned long long>(totals.switches),
      static_cast<unsigned long long>(totals.deaths), static_cast<unsigned long long>(totals.faults));
}

}  // namespace

int main() {
  faults::only_marked_threads(true);
  Totals totals;
  const double started = seconds_now();
  if (const uint64_t seed = number_of("IOENGINE_SIMULATION_SEED")) {
    set_context("the seed alone");
    const uint64_t first = run_one(seed, &totals);
    CHECK(first == run_one(seed, &totals));
    print(totals, seconds_now() - started);
    return 0;
  }
  for (uint64_t seed : kKeptSeeds) run_seed(seed, &totals);
  if (const uint64_t seconds = number_of("IOENGINE_SIMULATION_SECONDS")) {
    auto seed = static_cast<uint64_t>(time(nullptr)) << 20;
    std::printf("seeds from %llu on\n", static_cast<unsigned long long>(seed));
    while (seconds_now() - started < static_cast<double>(seconds)) run_seed(++seed, &totals);
    print(totals, seconds_now() - started);
    return 0;
  }
  for (uint64_t seed = 1; seed <= 150; ++seed) run_seed(seed, &totals);
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    set_context("seed " + std::to_string(seed) + ", twice");
    CHECK(run_one(seed, &totals) == run_one(seed, &totals));
  }
  print(totals, seconds_now() - started);
  require_red("one wrong byte", MockDefect::kWrongByte);
  require_red("one lost completion", MockDefect::kLostCompletion);
  require_red("one doubled completion", MockDefect::kDoubleCompletion);
  require_red("one short result reported as full", MockDefect::kShortReportedFull);
  require_red("one completion before the bytes were taken", MockDefect::kEarlyCompletion);
  require_red("one that is not counted, and completes after the end", MockDefect::kUncounted);
  return 0;
}
