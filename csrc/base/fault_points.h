// Places inside the engine where a test can make it fail. In a release build each macro is what it stands
// around, or nothing; csrc/faults/ has the other side, and the calls of the C library that it stands in front
// of.
#pragma once

#ifdef IOENGINE_FAULT_POINTS

#include <cstddef>
#include <cstdint>

namespace ioengine {
struct Completion;
struct Request;
namespace faults {

int32_t completed(const Request* request, int32_t result);
bool holds_back(int wake_fd);
void reorder(Completion* completions, size_t count);
bool loses_wake_up();
bool refuses_memory();

}  // namespace faults
}  // namespace ioengine

// The result of an attempt, or what a fault makes of it.
#define IOE_FAULT_RESULT(request, result) ::ioengine::faults::completed(request, result)
// Whether completions that are there are to come later; the wake-up is written to.
#define IOE_FAULT_HOLDS_BACK(wake_fd) ::ioengine::faults::holds_back(wake_fd)
#define IOE_FAULT_REORDER(completions, count) ::ioengine::faults::reorder(completions, count)
// Whether a wake-up that is to be armed is not.
#define IOE_FAULT_LOSES_WAKE_UP() ::ioengine::faults::loses_wake_up()
// Whether there is no memory for the engine's own use.
#define IOE_FAULT_REFUSES_MEMORY() ::ioengine::faults::refuses_memory()

#else

#define IOE_FAULT_RESULT(request, result) (result)
#define IOE_FAULT_HOLDS_BACK(wake_fd) false
#define IOE_FAULT_REORDER(completions, count) static_cast<void>(0)
#define IOE_FAULT_LOSES_WAKE_UP() false
#define IOE_FAULT_REFUSES_MEMORY() false

#endif
