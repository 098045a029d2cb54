// Jobs that run in time slices (H30): the same request is queued again behind the others until it settles,
// once; the end of a thread or process cancels it between two slices, though not in the middle of a file, and
// closes what it has open.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "jobs/copy_tree.h"
#include "jobs/remove_tree.h"
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

constexpr int kFiles = 40000;
constexpr off_t kCopyBytes = off_t{256} << 20;  // more than a slice

std::string in_folder(const std::string& name) { return temporary_folder() + "/" + name; }

void make_file(const std::string& path, off_t size = 0) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  CHECK(fd != -1);
  CHECK_EQ(ftruncate(fd, size), 0);
  ::close(fd);
}

std::string make_folder(const std::string& name, int files) {
  const std::string path = in_folder(name);
  CHECK_EQ(mkdir(path.c_str(), 0700), 0);
  for (int i = 0; i < files; ++i) make_file(path + "/" + std::to_string(i));
  return path;
}

size_t count_entries(const std::string& path) {
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr) return 0;
  size_t count = 0;
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count - 2;
}

std::shared_ptr<Ticket> remove(Engine* engine, const std::string& path) {
  auto job = std::make_unique<RemoveTreeJob>(path, true, false);
  return engine->run_in_pool(Operation::kRemoveTree, std::move(job));
}

std::shared_ptr<Ticket> copy(Engine* engine, const std::string& from, const std::string& to) {
  auto job = std::make_unique<CopyTreeJob>(from, to, 0);
  return engine->run_in_pool(Operation::kCopyTree, std::move(job));
}

// One thread's worth of long jobs for each thread, and a short one behind all of them.
void a_short_job_does_not_wait_for_long_ones() {
  set_context("a short job behind long ones");
  Engine engine{MockOptions()};
  constexpr int kJobs = limits::pool_threads * 2;
  std::vector<std::shared_ptr<Ticket>> removals;
  for (int i = 0; i < kJobs; ++i) make_folder("long " + std::to_string(i), kFiles / 4);
  for (int i = 0; i < kJobs; ++i) removals.push_back(remove(&engine, in_folder("long " + std::to_string(i))));
  const auto last = remove(&engine, make_folder("short", 1));
  engine.until_settled(last);
  CHECK_EQ(last->result, 0);
  size_t settled = 0;
  for (const auto& removal : removals) settled += removal->settled;
  CHECK(settled < removals.size());
  engine.until_idle();
  for (int i = 0; i < kJobs; ++i) {
    CHECK_EQ(removals[i]->result, 0);
    CHECK(access(in_folder("long " + std::to_string(i)).c_str(), F_OK) == -1);
  }
}

bool have_equal_times(const struct stat& left, const struct stat& right) {
  return left.st_mtim.tv_sec == right.st_mtim.tv_sec && left.st_mtim.tv_nsec == right.st_mtim.tv_nsec;
}

// `end` is called when both jobs have begun, and are far from their ends.
void an_end_cancels_jobs(const std::string& name, const std::function<void(Engine*)>& end) {
  set_context(name);
  const size_t before = count_entries("/proc/self/fd");
  const std::string flat = make_folder(name, kFiles), from = in_folder(name + " from"),
                    to = in_folder(name + " to");
  make_file(from, kCopyBytes);
  struct stat untouched, status;
  CHECK_EQ(stat(flat.c_str(), &untouched), 0);
  usleep(20 * 1000);  // the clock of the filesystem ticks
  {
    Engine engine{MockOptions()};
    const auto removal = remove(&engine, flat), copying = copy(&engine, from, to);
    engine.until([&] {
      return stat(to.c_str(), &status) == 0 && stat(flat.c_str(), &status) == 0 &&
             !have_equal_times(status, untouched);
    });
    end(&engine);
    CHECK(removal->settled && copying->settled);
    CHECK_EQ(removal->result, -ECANCELED);
    CHECK(copying->result == 0 || copying->result == -ECANCELED);
    const size_t left = count_entries(flat);
    CHECK(left > 0);
    CHECK_EQ(stat(to.c_str(), &status), 0);
    CHECK_EQ(status.st_size, kCopyBytes);
    usleep(50 * 1000);
    CHECK_EQ(count_entries(flat), left);
  }
  CHECK_EQ(count_entries("/proc/self/fd"), before);
  CHECK_EQ(unlink(to.c_str()), 0);
}

// As open(2) on FUSE or NFS may be.
struct InterruptedJob final : PathJob {
  using PathJob::PathJob;
  int32_t run() override { return ++tries < 3 ? -EINTR : tries; }
  int32_t tries = 0;
};

void an_interrupted_call_on_a_path_is_made_again() {
  set_context("an interrupted call on a path");
  Engine engine{MockOptions()};
  const auto call = engine.run_in_pool(Operation::kReadDirectory, std::make_unique<InterruptedJob>("/x"));
  engine.until_settled(call);
  CHECK_EQ(call->result, 3);
}

}  // namespace

int main() {
  an_interrupted_call_on_a_path_is_made_again();
  // Tens of thousands of files: in memory where there are folders in memory.
  if (access("/dev/shm", W_OK | X_OK) == 0) setenv("TMPDIR", "/dev/shm", 0);
  a_short_job_does_not_wait_for_long_ones();
  an_end_cancels_jobs("drain", [](Engine* engine) { engine->end(); });
  an_end_cancels_jobs("settle_writes", [](Engine* engine) {
    (*engine)->settle_writes();
    engine->deliver();
  });
  return 0;
}
