// Availability: probes make the real thing and leave nothing behind; automatic choice takes the first that
// works, a name is that backend or a reason.
#include <dirent.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "backend/factory.h"
#include "test/check.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

size_t open_descriptors() {
  size_t count = 0;
  DIR* folder = opendir("/proc/self/fd");
  CHECK(folder != nullptr);
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

void probes_agree_with_creation(BackendType type) {
  set_context(backend_type_name(type));
  const size_t before = open_descriptors();
  const BackendResult probe = probe_backend(type);
  CHECK(probe.backend == nullptr);
  CHECK_EQ(open_descriptors(), before);
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  {
    const Choice choice = create_backend(8, type, wake_fd);
    CHECK((choice.result.backend != nullptr) == (probe.error_number == 0));
    CHECK(!choice.reason.empty());
    if (choice.result.backend) {
      CHECK(choice.result.backend->type() == type);
      CHECK(choice.result.backend->capabilities().depth >= 8);
      CHECK(choice.result.backend->capabilities().serves(Operation::kRead));
      CHECK_EQ(choice.result.backend->in_flight(), 0u);
    } else {
      CHECK(!probe.cause.empty() && !probe.fix.empty());
      std::printf("%s\n", choice.reason.c_str());
    }
  }
  close(wake_fd);
  CHECK_EQ(open_descriptors(), before);
}

void automatic_choice_takes_the_first() {
  set_context("automatic choice");
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  {
    const Choice choice = create_backend(8, std::nullopt, wake_fd);
    CHECK(choice.result.backend != nullptr);
    const BackendType expected = probe_backend(BackendType::kUring).error_number == 0 ? BackendType::kUring
                                 : probe_backend(BackendType::kAio).error_number == 0 ? BackendType::kAio
                                                                                      : BackendType::kThreads;
    CHECK(choice.result.backend->type() == expected);
    CHECK(!choice.reason.empty());
  }
  close(wake_fd);
}

void the_mock_is_never_chosen() {
  set_context("the mock by name");
  const Choice choice = create_backend(8, BackendType::kMock, -1);
  CHECK(choice.result.backend == nullptr);
  CHECK_EQ(choice.result.error_number, EINVAL);
}

// No descriptor left (EMFILE): a reason and a fix, and no crash. Automatic choice is put off until there is
// one.
void without_descriptors() {
  const int status = status_of_child([] {
    const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rlimit limit = {static_cast<rlim_t>(wake_fd) + 1, static_cast<rlim_t>(wake_fd) + 1};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while (dup(wake_fd) != -1) {
    }
    const Choice ring = create_backend(8, BackendType::kUring, wake_fd);
    CHECK(ring.result.backend == nullptr);
    CHECK(ring.result.error_number != 0);
    CHECK(!ring.result.cause.empty() && !ring.result.fix.empty());
    CHECK_EQ(probe_backend(BackendType::kAio).error_number, EMFILE);  // it needs an eventfd of its own
    const Choice automatic = create_backend(8, std::nullopt, wake_fd);
    CHECK(automatic.result.backend == nullptr);
    CHECK_EQ(automatic.result.error_number, EMFILE);
    CHECK(automatic.reason.find("io_uring is not available: EMFILE") != std::string::npos);
  });
  if (!ended_well(status)) fail(__FILE__, __LINE__, "without descriptors: " + describe_status(status));
}

}  // namespace

int main() {
  for (BackendType type : {BackendType::kUring, BackendType::kAio, BackendType::kThreads}) {
    probes_agree_with_creation(type);
  }
  automatic_choice_takes_the_first();
  the_mock_is_never_chosen();
  without_descriptors();
  return 0;
}
