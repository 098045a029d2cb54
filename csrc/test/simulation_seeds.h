// Seeds of the simulation that have found something. They run first, always.
#pragma once

#include <cstdint>

namespace ioengine::test {

constexpr uint64_t kKeptSeeds[] = {1};

}  // namespace ioengine::test
