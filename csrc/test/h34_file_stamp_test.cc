// What lets a stream hand out bytes that it has read ahead (H34): a stamp that proves something, and the file
// position.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler/file_stamp.h"
#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

constexpr int64_t kNsPerS = 1000 * 1000 * 1000;

int64_t age_of_change(int fd) {
  struct stat status;
  timespec now;
  CHECK(fstat(fd, &status) == 0);
  CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
  return (now.tv_sec - status.st_ctim.tv_sec) * kNsPerS + now.tv_nsec - status.st_ctim.tv_nsec;
}

bool is_equal(const FileStamp& a, const FileStamp& b) {
  return a.size == b.size && a.modified_s == b.modified_s && a.modified_ns == b.modified_ns &&
         a.changed_s == b.changed_s && a.changed_ns == b.changed_ns;
}

// The kernel sets the times before it copies: a stamp taken while one large write(2) goes on must not count.
void a_young_file_proves_nothing() {
  set_context("a file that was changed within the last second has no stamp");
  const std::string path = temporary_folder() + "/young";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  FileStamp stamp;
  int looked = 0;
  for (;;) {
    const bool proves = take_stamp(fd, &stamp);
    const int64_t age = age_of_change(fd);
    if (proves) {
      CHECK(age > kNsPerS);
      break;
    }
    ++looked;
    CHECK(age < 60 * kNsPerS);  // it has to count some day
    usleep(20 * 1000);
  }
  CHECK(looked > 0);
  FileStamp second;
  CHECK(take_stamp(fd, &second) && is_equal(stamp, second));
  // Set into the past by hand, it was still changed now.
  const timespec past[2] = {{1000, 5}, {1000, 5}};
  CHECK(futimens(fd, past) == 0);
  CHECK(!take_stamp(fd, &stamp));
  close(fd);
}

void only_regular_files_have_a_stamp() {
  set_context("a directory and a device have no stamp");
  FileStamp stamp;
  for (const char* path : {"/", "/dev/zero"}) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(!take_stamp(fd, &stamp));
    close(fd);
  }
}

void a_claim_moves_the_position_from_where_it_is_said_to_be() {
  set_context("a claimed range moves the file position");
  MockOptions options;
  options.held = true;
  options.depth = 64;
  Engine engine(options);
  const int fd = engine.create(1000, 1000);
  CHECK(engine->claim_position(fd, 0, 100));
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 100);
  CHECK(!engine->claim_position(fd, 0, 100));  // somebody has moved it
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 100);
  set_context("no claim while an operation at the file position is under way, or waits");
  GuardedBuffer buffer(64);
  const auto running = engine.read(fd, buffer.data(), 8, -1);
  const auto waiting = engine.read(fd, buffer.data() + 8, 8, -1);
  CHECK(!engine->claim_position(fd, 100, 200));
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 100);
  engine.mock().release();
  engine.until_idle();
  CHECK(running->settled && waiting->settled);
  CHECK(engine->claim_position(fd, 116, 200));
  set_context("a read at an offset of its own holds back no claim");
  const auto positional = engine.read(fd, buffer.data(), 8, 0);
  CHECK(engine->claim_position(fd, 200, 300));
  engine.until_idle();
  CHECK(positional->settled);
  close(fd);
}

}  // namespace

int main() {
  a_young_file_proves_nothing();
  only_regular_files_have_a_stamp();
  a_claim_moves_the_position_from_where_it_is_said_to_be();
  return 0;
}
