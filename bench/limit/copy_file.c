// The limit for streams into a file: one C thread that reads and writes, and nothing around that. Speaks the
// line protocol of bench/workers/protocol.mjs; a round is so many passes over the file.
//
//   copy_file SOURCE TARGET SIZE CHUNK      SOURCE - writes memory instead of copying
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "round.h"

enum { kPathBytes = 512, kLineBytes = 128 };

static const char* source;
static const char* target;
static uint64_t size;
static size_t chunk;
static char* buffer;

static void give_up(const char* what) {
  printf("{\"error\":\"%s\"}\n", what);
  fflush(stdout);
  exit(1);
}

static void name_of(char* path, uint64_t pass) {
  snprintf(path, kPathBytes, "%s-%ld-%llu", target, (long)getpid(), (unsigned long long)pass);
}

static void write_file(uint64_t pass) {
  char path[kPathBytes];
  name_of(path, pass);
  const bool copies = strcmp(source, "-") != 0;
  const int in = copies ? open(source, O_RDONLY | O_CLOEXEC) : -1;
  const int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if ((copies && in == -1) || out == -1) give_up("open failed");
  for (uint64_t done = 0; done < size;) {
    const size_t want = size - done < chunk ? (size_t)(size - done) : chunk;
    const ssize_t got = copies ? read(in, buffer, want) : (ssize_t)want;
    if (got <= 0 || write(out, buffer, (size_t)got) != got) give_up("read or write failed, or was short");
    done += (uint64_t)got;
  }
  if (copies) close(in);
  if (close(out) != 0) give_up("close failed");
}

static void remove_files(uint64_t passes) {
  char path[kPathBytes];
  for (uint64_t pass = 0; pass < passes; pass++) {
    name_of(path, pass);
    unlink(path);
  }
}

static void run(uint64_t passes) {
  const struct clocks start = start_round();
  for (uint64_t pass = 0; pass < passes; pass++) write_file(pass);
  const struct clocks taken = end_round(start);
  remove_files(passes);
  print_round(passes * size, taken);
}

int main(int argc, char** argv) {
  if (argc != 5) give_up("usage: copy_file SOURCE TARGET SIZE CHUNK");
  source = argv[1];
  target = argv[2];
  size = strtoull(argv[3], NULL, 10);
  chunk = strtoul(argv[4], NULL, 10);
  buffer = malloc(chunk);
  if (buffer == NULL || size == 0) give_up("no memory, or nothing to write");
  memset(buffer, 'x', chunk);
  printf("{\"ready\":true,\"runtime\":\"C, read and write\"}\n");
  fflush(stdout);
  char line[kLineBytes];
  unsigned long long amount;
  unsigned seed;
  while (fgets(line, sizeof(line), stdin) != NULL) {
    if (sscanf(line, "run %llu %u", &amount, &seed) != 2) give_up("unknown command");
    run(amount);
  }
  return 0;
}
