// What one round of a limit program took, as the line that bench/workers/protocol.mjs reads.
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

// Points in time, or what has passed between two of them.
struct clocks {
  uint64_t cpu_us;
  uint64_t wall_ns;
};

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t cpu_us(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
         (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static struct clocks start_round(void) {
  const uint64_t cpu = cpu_us();
  return (struct clocks){cpu, now_ns()};
}

static struct clocks end_round(struct clocks start) {
  const uint64_t wall = now_ns() - start.wall_ns;
  return (struct clocks){cpu_us() - start.cpu_us, wall};
}

static void print_round(uint64_t work, struct clocks taken) {
  printf("{\"work\":%" PRIu64 ",\"wall_ns\":%" PRIu64 ",\"cpu_us\":%" PRIu64 "}\n", work, taken.wall_ns,
         taken.cpu_us);
  fflush(stdout);
}
