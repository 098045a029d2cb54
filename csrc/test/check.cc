#include "test/check.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ioengine::test {
namespace {

std::string current_context;

struct Folder {
  std::string path;
  pid_t owner = 0;

  ~Folder() { remove(); }
  // With everything that a test has left in it.
  void remove() {
    if (path.empty() || getpid() != owner) return;
    constexpr int kOpenFolders = 16;
    nftw(path.c_str(), remove_entry, kOpenFolders, FTW_DEPTH | FTW_PHYS);
  }
  static int remove_entry(const char* name, const struct stat*, int, FTW*) { return ::remove(name), 0; }
};

Folder folder;

}  // namespace

void set_context(const std::string& text) { current_context = text; }

void fail(const char* file, int line, const std::string& what) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, what.c_str());
  if (!current_context.empty()) std::fprintf(stderr, "while: %s\n", current_context.c_str());
  std::fflush(nullptr);
  folder.remove();
  // Requests may be in flight: nothing is torn down behind their back.
  _exit(1);
}

int skipped(const std::string& reason) {
  std::printf("skipped, because %s\n", reason.c_str());
  return kSkipped;
}

int status_of_child(const std::function<void()>& body, int timeout_ms) {
  std::fflush(nullptr);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    const rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGALRM, SIG_DFL);
    alarm(static_cast<unsigned>((timeout_ms + 999) / 1000));
    body();
    _exit(0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) == -1) CHECK(errno == EINTR);
  return status;
}

bool ended_well(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

std::string describe_status(int status) {
  if (WIFSIGNALED(status)) return std::string("signal ") + strsignal(WTERMSIG(status));
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

const std::string& temporary_folder() {
  if (folder.path.empty()) {
    const char* base = std::getenv("TMPDIR");
    std::string path = std::string(base != nullptr ? base : "/tmp") + "/ioengine-native-XXXXXX";
    CHECK(mkdtemp(&path[0]) != nullptr);
    folder.path = path;
    folder.owner = getpid();
  }
  return folder.path;
}

}  // namespace ioengine::test
