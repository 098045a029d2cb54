// Random operations on an engine, many in flight, compared with a shadow of the files: every result, every
// byte that was read, the memory around each buffer, and at the end the whole files.
#pragma once

#include <string>
#include <vector>

#include "backend/mock/random.h"
#include "test/engine.h"

namespace ioengine::test {

struct WorkloadOptions {
  uint64_t seed = 1;
  uint32_t steps = 600;
  uint32_t outstanding_max = 40;
  uint32_t alignment = 1;  // > 1: half of the operations are aligned to this
  bool may_fail = false;   // EIO is among the answers; then no file position and no append
  bool truncates = true;
};

// Three files with the contents that start() wrote: one for positional operations, one for operations at the
// file position, one for appending. Each with a second descriptor for looking at it, which is buffered.
struct WorkloadFiles {
  int random = -1, random_view = -1;
  int tape = -1, tape_view = -1;
  int log = -1, log_view = -1;
  uint64_t region =
      64 * 1024;  // bytes; the first file has sixteen, each read and written at a time of its own

  uint64_t initial_size() const { return 15 * region + 5000; }
  uint64_t tape_size() const { return 5 * region - 700; }
};

class Workload {
 public:
  static constexpr uint32_t kRegions = 16;
  static constexpr uint64_t kSizeMax = 4 * 1024 * 1024;

  // Files on the mock disk, or in the temporary folder opened with O_DIRECT or not. `tags`: of the device
  // below direct ones, null for as many as anybody wants.
  static WorkloadFiles mock_files(Engine* engine, uint32_t alignment, DeviceTags* tags = nullptr,
                                  uint64_t region = WorkloadFiles().region);
  static WorkloadFiles real_files(Engine* engine, int direct_flag);

  Workload(Engine* engine, const WorkloadFiles& files, const WorkloadOptions& options);
  // Issues everything, closes the files through the engine while operations are outstanding, and compares.
  void run();
  // The same by steps: the files stay open until the end of them all.
  void step();
  void finish();
  // The engine ends with everything outstanding: what has not been started is cancelled, the rest is done.
  void die();

 private:
  struct Range {
    uint64_t offset;
    uint64_t bytes;
  };
  struct Region {
    uint32_t readers = 0;
    uint32_t writers = 0;
  };
  struct Memory;
  struct Prefix {
    uint64_t least = 0;
    uint64_t most = 0;
  };

  void step_positional();
  void step_tape();
  void step_log();
  void step_control();
  Range pick_range(uint32_t region);
  std::shared_ptr<Memory> make_memory(uint64_t bytes);
  std::vector<uint8_t> expect(const std::vector<uint8_t>& shadow, Range range) const;
  void issue_read(uint32_t region, Range range);
  void issue_write(uint32_t region, Range range);
  void remember(const std::shared_ptr<Ticket>& ticket, int fd, uint64_t bytes = 0);
  void check_read(const Ticket& ticket, const Memory& memory, const std::vector<uint8_t>& expected) const;
  void resync(Range range);
  void close_all();
  static void compare(int view, const std::vector<uint8_t>& shadow);
  bool is_over(int32_t result) const;
  void check_bytes(int32_t result, uint64_t wanted) const;
  Prefix prefix_of(int fd) const;
  static void compare_prefix(int view, const std::vector<uint8_t>& before, const std::vector<uint8_t>& after,
                             Prefix prefix);

  Engine& engine_;
  WorkloadFiles files_;
  WorkloadOptions options_;
  Random random_;
  Region regions_[kRegions];
  std::vector<uint8_t> shadow_, tape_, log_;
  uint64_t tape_position_ = 0;
  uint64_t tag_ = 0;
  bool dying_ = false;
  struct Issued {
    int fd;
    std::shared_ptr<Ticket> ticket;
    uint64_t bytes;  // of a transfer at the file position or at the end
  };
  std::vector<Issued> issued_;
};

}  // namespace ioengine::test
