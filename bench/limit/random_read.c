// The limit: random 4 KiB reads by one C thread on liburing, with nothing between the program and the ring.
//
//   random_read FILE DEPTH DIRECT(0|1)
//
// It speaks the line protocol of bench/workers/protocol.mjs: prints {"ready":true,...}, then answers every
// `run OPERATIONS SEED` with one JSON line, until its input ends. Data is verified before the first round.
// One turn = submit all that is free, reap all that is there. Cached reads complete inside the submit, so at
// depth d a turn is exactly d reads and one system call; with O_DIRECT the ring is topped up as completions
// come in.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <liburing.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "round.h"

enum { kBlockSize = 4096, kWordsPerBlock = kBlockSize / 4, kVerifiedReads = 2048, kMaxDepth = 4096 };

struct program {
  struct io_uring ring;
  int file;
  unsigned depth;
  uint32_t block_mask;
  uint8_t* buffers;    // depth blocks
  uint32_t* block_of;  // which block each buffer was last read from
  unsigned* free_buffers;
};

static void fail(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char text[256];
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  printf("{\"error\":\"%s\"}\n", text);
  fflush(stdout);
  exit(1);
}

static uint32_t next_random(uint32_t x) {
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return x;
}

// The same content as fillBlock() in bench/lib/blocks.mjs.
static bool block_is_right(const uint8_t* bytes, uint32_t block) {
  const uint32_t* words = (const uint32_t*)bytes;
  if (words[0] != block || words[1] != ~block) return false;
  uint32_t x = (block * 2654435761u) | 1u;
  for (unsigned i = 2; i < kWordsPerBlock; i++) {
    x = next_random(x);
    if (words[i] != x) return false;
  }
  return true;
}

// Steps down where the kernel does not know the newer flags, and says which it got.
static const char* open_ring(struct program* p) {
  static const struct {
    unsigned flags;
    const char* name;
  } setups[] = {
      {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, "SINGLE_ISSUER|DEFER_TASKRUN"},
      {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN, "SINGLE_ISSUER|COOP_TASKRUN"},
      {0, "none"},
  };
  int result = 0;
  for (unsigned i = 0; i < sizeof(setups) / sizeof(setups[0]); i++) {
    result = io_uring_queue_init(p->depth, &p->ring, setups[i].flags);
    if (result != -EINVAL) {
      if (result < 0) break;
      io_uring_register_ring_fd(&p->ring);  // not there before 5.18: slower, still right
      return setups[i].name;
    }
  }
  fail("io_uring_queue_init: %s", strerror(-result));
  return NULL;
}

static void prepare_read(struct program* p, unsigned buffer, uint32_t random) {
  const uint32_t block = random & p->block_mask;
  struct io_uring_sqe* sqe = io_uring_get_sqe(&p->ring);
  if (!sqe) fail("submission queue full at depth %u", p->depth);
  p->block_of[buffer] = block;
  io_uring_prep_read(sqe, p->file, p->buffers + (size_t)buffer * kBlockSize, kBlockSize,
                     (uint64_t)block * kBlockSize);
  io_uring_sqe_set_data64(sqe, buffer);
}

static unsigned reap(struct program* p, unsigned free_count, bool verify) {
  struct io_uring_cqe* cqe;
  unsigned head;
  unsigned seen = 0;
  io_uring_for_each_cqe(&p->ring, head, cqe) {
    const unsigned buffer = (unsigned)cqe->user_data;
    if (cqe->res != kBlockSize) {
      fail("read of block %u: %s", p->block_of[buffer], cqe->res < 0 ? strerror(-cqe->res) : "short");
    }
    if (verify && !block_is_right(p->buffers + (size_t)buffer * kBlockSize, p->block_of[buffer])) {
      fail("block %u has wrong content", p->block_of[buffer]);
    }
    p->free_buffers[free_count + seen] = buffer;
    seen++;
  }
  io_uring_cq_advance(&p->ring, seen);
  return seen;
}

static void read_many(struct program* p, uint64_t operations, uint32_t seed, bool verify) {
  uint32_t random = seed ? seed : 1;
  uint64_t to_submit = operations;
  uint64_t to_complete = operations;
  unsigned free_count = p->depth;
  while (to_complete > 0) {
    while (free_count > 0 && to_submit > 0) {
      random = next_random(random);
      prepare_read(p, p->free_buffers[--free_count], random);
      to_submit--;
    }
    const int result = io_uring_submit_and_wait(&p->ring, 1);
    if (result < 0 && result != -EINTR) fail("io_uring_submit_and_wait: %s", strerror(-result));
    const unsigned seen = reap(p, free_count, verify);
    free_count += seen;
    to_complete -= seen;
  }
}

static void timed_round(struct program* p, uint64_t operations, uint32_t seed) {
  const struct clocks start = start_round();
  read_many(p, operations, seed, false);
  const struct clocks taken = end_round(start);
  for (unsigned i = 0; i < p->depth && i < operations; i++) {
    const unsigned buffer = p->free_buffers[p->depth - 1 - i];
    if (!block_is_right(p->buffers + (size_t)buffer * kBlockSize, p->block_of[buffer])) {
      fail("block %u has wrong content after the round", p->block_of[buffer]);
    }
  }
  print_round(operations, taken);
}

int main(int count, char** arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: random_read FILE DEPTH DIRECT\n");
    return 2;
  }
  struct program p = {.depth = (unsigned)strtoul(arguments[2], NULL, 10)};
  if (p.depth == 0 || p.depth > kMaxDepth) fail("depth must be 1 to %d", kMaxDepth);
  p.file = open(arguments[1], O_RDONLY | O_CLOEXEC | (arguments[3][0] == '1' ? O_DIRECT : 0));
  struct stat info;
  if (p.file < 0 || fstat(p.file, &info) != 0) fail("open: %s", strerror(errno));
  const uint64_t blocks = (uint64_t)info.st_size / kBlockSize;
  if (blocks == 0 || (blocks & (blocks - 1)) != 0) fail("the file must have 2^n blocks");
  p.block_mask = (uint32_t)(blocks - 1);
  p.block_of = calloc(p.depth, sizeof(*p.block_of));
  p.free_buffers = calloc(p.depth, sizeof(*p.free_buffers));
  if (!p.block_of || !p.free_buffers ||
      posix_memalign((void**)&p.buffers, kBlockSize, (size_t)p.depth * kBlockSize)) {
    fail("out of memory");
  }
  for (unsigned i = 0; i < p.depth; i++) p.free_buffers[i] = i;

  const char* setup = open_ring(&p);
  read_many(&p, kVerifiedReads, 12345, true);
  printf("{\"ready\":true,\"runtime\":\"C, liburing, %s\"}\n", setup);
  fflush(stdout);

  char line[128];
  while (fgets(line, sizeof(line), stdin)) {
    uint64_t operations;
    uint32_t seed;
    if (sscanf(line, "run %" SCNu64 " %" SCNu32, &operations, &seed) == 2) timed_round(&p, operations, seed);
  }
  io_uring_queue_exit(&p.ring);
  return 0;
}
