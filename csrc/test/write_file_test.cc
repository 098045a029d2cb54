// writeFile as one job: what it writes, where it stops, and what is left to node then; and files in a
// sandbox.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>

#include "base/owned_fd.h"
#include "jobs/open_file.h"
#include "jobs/result_codes.h"
#include "jobs/stat_path.h"
#include "jobs/write_file.h"
#include "test/check.h"
#include "test/files.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

int32_t write(WriteFileJob* job, const std::string& text, int flags) {
  job->flags = flags;
  job->mode = 0600;
  job->data = text.data();
  job->size = text.size();
  return job->run();
}

void writes_all_and_closes() {
  const std::string path = in_folder("written");
  WriteFileJob first(path), second(path);
  first.sync = true;
  CHECK_EQ(write(&first, "one", O_WRONLY | O_CREAT | O_TRUNC), 3);
  CHECK_EQ(write(&second, " two", O_WRONLY | O_CREAT | O_APPEND), 4);
  CHECK(!first.file.is_open() && !second.file.is_open());
  CHECK(content(path) == "one two");
}

void stops_where_a_step_fails() {
  const std::string path = in_folder("refused");
  put(path, "old");
  WriteFileJob reading(path), absent(in_folder("no/file")), device("/dev/full");
  CHECK_EQ(write(&reading, "new", O_RDONLY), kWriteStopped);
  CHECK(reading.failed == WriteFileJob::Step::kWrite);
  CHECK_EQ(reading.error, -EBADF);
  CHECK(reading.file.is_open());  // its closing may fail too, and both errors are shown
  CHECK_EQ(write(&absent, "new", O_WRONLY | O_CREAT), -ENOENT);
  CHECK_EQ(write(&device, "new", O_WRONLY), kWriteStopped);
  CHECK(device.failed == WriteFileJob::Step::kNone && device.file.is_open());
  CHECK((fcntl(device.file.get(), F_GETFL) & O_NONBLOCK) == 0);
  CHECK(content(path) == "old");
}

// A FIFO is node's: without a reader it is not opened, and with one nothing has been written to it, and
// writes will wait for room.
void leaves_a_fifo_to_node() {
  const std::string path = in_folder("fifo");
  CHECK_EQ(mkfifo(path.c_str(), 0600), 0);
  WriteFileJob regular(in_folder("beside")), alone(path), read(path);
  CHECK_EQ(write(&regular, "known", O_WRONLY | O_CREAT), 5);  // its mount is known from now on
  CHECK_EQ(write(&alone, "new", O_WRONLY | O_CREAT | O_TRUNC), kUnsupported);
  CHECK(!alone.file.is_open());
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  CHECK(reader >= 0);
  CHECK_EQ(write(&read, "new", O_WRONLY | O_CREAT | O_TRUNC), kWriteStopped);
  CHECK(read.failed == WriteFileJob::Step::kNone && read.file.is_open());
  CHECK(read.facts.kind == FileKind::kForeign);
  CHECK((fcntl(read.file.get(), F_GETFL) & O_NONBLOCK) == 0);
  char bytes[8];
  CHECK_EQ(::read(reader, bytes, sizeof(bytes)), -1);  // not the end: a writer is there
  CHECK_EQ(errno, EAGAIN);
  close(reader);
}

// Each file has facts of its own when the one before it, on the same mount, was known.
void what_is_left_open_is_known() {
  const std::string path = in_folder("left open");
  put(path, "old");
  WriteFileJob first(in_folder("before it")), second(path);
  CHECK_EQ(write(&first, "x", O_WRONLY | O_CREAT), 1);
  CHECK_EQ(write(&second, "new", O_RDONLY | O_APPEND), kWriteStopped);
  struct stat status;
  CHECK_EQ(stat(path.c_str(), &status), 0);
  CHECK_EQ(second.facts.inode, static_cast<uint64_t>(status.st_ino));
  CHECK(second.facts.append && second.facts.readable && second.facts.filesystem.known);
}

// As old sandboxes do: what they do not know is answered EPERM.
void refuse_statx() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_statx, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {4, filter};
  CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

// Red when a file can neither be opened nor written where statx(2) is refused.
void files_are_known_without_statx() {
  const int status = status_of_child([] {
    const std::string path = in_folder("sandboxed");
    put(path, "old");
    struct stat plain;
    CHECK_EQ(stat(path.c_str(), &plain), 0);
    refuse_statx();
    WriteFileJob job(path);
    CHECK_EQ(write(&job, "new", O_WRONLY | O_TRUNC), 3);
    CHECK(content(path) == "new");
    OpenJob open;
    open.path = path;
    open.flags = O_RDONLY;
    const OwnedFd fd(open_with_facts(&open));
    CHECK(fd.is_open() && fd.get() >= 0);
    CHECK(open.facts.kind == FileKind::kRegular && open.facts.readable && !open.facts.writable);
    CHECK_EQ(open.facts.size, 3u);
    CHECK_EQ(open.facts.inode, static_cast<uint64_t>(plain.st_ino));
    CHECK_EQ(open.facts.device, static_cast<uint64_t>(plain.st_dev));
    CHECK_EQ(open.facts.mount, 0u);
    StatJob by_path(path);
    CHECK_EQ(by_path.run(), kUnsupported);  // node has other calls
  });
  CHECK(ended_well(status));
}

// The limit cuts the write short and then refuses it: what was written stays, and the error is told.
void a_write_that_is_cut_short_goes_on() {
  const int status = status_of_child([] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {1000, 1000};
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const std::string path = in_folder("limited");
    WriteFileJob over(path);
    CHECK_EQ(write(&over, std::string(3000, 'x'), O_WRONLY | O_CREAT | O_TRUNC), kWriteStopped);
    CHECK(over.failed == WriteFileJob::Step::kWrite);
    CHECK_EQ(over.error, -EFBIG);
    CHECK_EQ(content(path).size(), 1000u);
  });
  CHECK(ended_well(status));
}

}  // namespace

int main() {
  writes_all_and_closes();
  stops_where_a_step_fails();
  leaves_a_fifo_to_node();
  what_is_left_open_is_known();
  files_are_known_without_statx();
  a_write_that_is_cut_short_goes_on();
  return 0;
}
