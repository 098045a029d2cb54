// Keeps files in the page cache (mlock(2)) until its standard input ends. A machine that pages out what has
// not been used for a while would otherwise time its disk in the cases that read from the page cache.
//
//   pin_files FILE_OR_FOLDER ...
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t pinned;

static int pin(const char* path, const struct stat* status, int type, struct FTW* where) {
  (void)where;
  if (type != FTW_F || status->st_size == 0) return 0;
  const size_t size = (size_t)status->st_size;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  void* memory = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED || mlock(memory, size) != 0) {
    perror(path);
    exit(1);
  }
  close(fd);
  pinned += size;
  return 0;
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (nftw(argv[i], pin, 64, FTW_PHYS) != 0) {
      perror(argv[i]);
      return 1;
    }
  }
  printf("%" PRIu64 "\n", pinned);
  fflush(stdout);
  while (getchar() != EOF) {
  }
  return 0;
}
