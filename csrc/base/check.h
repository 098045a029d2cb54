// Invariants that stay on in release builds: a broken one means the kernel may own memory we are about to
// free, so stopping at once is the only safe answer.
#pragma once

#include <cstdio>
#include <cstdlib>

#define IOE_CHECK(condition)                                                                        \
  do {                                                                                              \
    if (__builtin_expect(!(condition), 0)) {                                                        \
      std::fprintf(stderr, "ioengine: check failed: %s (%s:%d)\n", #condition, __FILE__, __LINE__); \
      std::abort();                                                                                 \
    }                                                                                               \
  } while (0)
