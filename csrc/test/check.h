// The whole test framework: a failed check says where and ends the program. A test program returns 0 for
// passed and kSkipped, with the reason as its last line, where the machine cannot run it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

namespace ioengine::test {

constexpr int kSkipped = 77;

// Says what was being done when a check failed: a seed, a mode. Printed in front of the failure.
void set_context(const std::string& text);

[[noreturn]] void fail(const char* file, int line, const std::string& what);

// Prints "skipped, because <reason>"; the value is for main() to return.
int skipped(const std::string& reason);

// Runs `body` in a child process without output. Returns its wait status; the child ends with 0 when the body
// returns. Ends a child that takes longer than `timeout_ms` and reports that as SIGALRM.
int status_of_child(const std::function<void()>& body, int timeout_ms = 60000);
bool ended_well(int status);
std::string describe_status(int status);

// A folder of this program's own on the disk that holds the temporary files (TMPDIR or /tmp), removed at the
// end.
const std::string& temporary_folder();

template <typename Left, typename Right>
void check_equal(const Left& left, const Right& right, const char* text, const char* file, int line) {
  if (left == right) return;
  fail(file, line,
       std::string(text) + ": " + std::to_string(static_cast<long long>(left)) + " and " +
           std::to_string(static_cast<long long>(right)));
}

}  // namespace ioengine::test

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) ::ioengine::test::fail(__FILE__, __LINE__, #condition); \
  } while (0)

#define CHECK_EQ(left, right) \
  ::ioengine::test::check_equal((left), (right), #left " == " #right, __FILE__, __LINE__)
