// The limit for whole small files and their attributes: one C thread with plain system calls and nothing
// around them. Speaks the line protocol of bench/workers/protocol.mjs.
//
//   small_files FOLDER FILES readFile|stat
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "round.h"

enum { kPathBytes = 512, kLineBytes = 128 };

static char (*paths)[kPathBytes];
static char buffer[64 * 1024];

static void give_up(const char* what) {
  printf("{\"error\":\"%s\"}\n", what);
  fflush(stdout);
  exit(1);
}

static void read_file(const char* path) {
  struct stat status;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd == -1 || fstat(fd, &status) != 0) give_up("open or fstat failed");
  if (pread(fd, buffer, sizeof(buffer), 0) != status.st_size) give_up("short read");
  close(fd);
}

static void stat_file(const char* path) {
  struct statx status;
  if (statx(AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) give_up("statx failed");
}

static void run(void (*serve)(const char*), uint32_t files, uint64_t amount, uint32_t seed) {
  uint32_t state = seed * 2654435761u | 1u;
  const struct clocks start = start_round();
  for (uint64_t i = 0; i < amount; i++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    serve(paths[state % files]);
  }
  print_round(amount, end_round(start));
}

int main(int argc, char** argv) {
  if (argc != 4) give_up("usage: small_files FOLDER FILES readFile|stat");
  const uint32_t files = (uint32_t)strtoul(argv[2], NULL, 10);
  void (*const serve)(const char*) = strcmp(argv[3], "stat") == 0 ? stat_file : read_file;
  paths = calloc(files, sizeof(*paths));
  if (paths == NULL || files == 0) give_up("no memory, or no files");
  for (uint32_t i = 0; i < files; i++) snprintf(paths[i], kPathBytes, "%s/%u/%u", argv[1], i % 100, i);
  for (uint32_t i = 0; i < files; i++) serve(paths[i]);
  printf("{\"ready\":true,\"runtime\":\"C, plain system calls\"}\n");
  fflush(stdout);
  char line[kLineBytes];
  unsigned long long amount;
  unsigned seed;
  while (fgets(line, sizeof(line), stdin) != NULL) {
    if (sscanf(line, "run %llu %u", &amount, &seed) != 2) give_up("unknown command");
    run(serve, files, amount, seed);
  }
  return 0;
}
