#include "test/workload.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "test/check.h"

namespace ioengine::test {
namespace {

// Made once: a simulation takes less time than making it.
const std::vector<uint8_t>& initial(uint64_t tag, uint64_t bytes) {
  static std::map<uint64_t, std::vector<uint8_t>> made;
  std::vector<uint8_t>& content = made[tag + bytes];
  for (uint64_t i = content.size(); i < bytes; ++i) content.push_back(pattern(tag, i));
  CHECK_EQ(content.size(), bytes);
  return content;
}

constexpr uint64_t kRandomTag = 1u << 20;
constexpr uint64_t kTapeTag = kRandomTag + 1;

bool is_same_file(int fd, int view) {
  struct stat status, viewed;
  CHECK(fstat(view, &viewed) == 0);
  return fstat(fd, &status) == 0 && status.st_ino == viewed.st_ino && status.st_dev == viewed.st_dev;
}

void write_all(int fd, const std::vector<uint8_t>& content) {
  CHECK_EQ(pwrite(fd, content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
}

}  // namespace

// Memory of one operation: pieces with canaries, as an I/O vector.
struct Workload::Memory {
  std::vector<std::unique_ptr<GuardedBuffer>> pieces;
  std::vector<iovec> vectors;

  void compare(const uint8_t* expected, uint64_t bytes) const {
    for (const auto& piece : pieces) {
      const uint64_t size = std::min<uint64_t>(bytes, piece->size());
      CHECK(size == 0 || std::memcmp(piece->data(), expected, size) == 0);
      expected += size;
      bytes -= size;
    }
  }
  void check() const {
    for (const auto& piece : pieces) piece->check_canaries();
  }
};

WorkloadFiles Workload::mock_files(Engine* engine, uint32_t alignment, DeviceTags* tags, uint64_t region) {
  WorkloadFiles files;
  files.region = region;
  MockDisk& disk = engine->disk();
  files.random = engine->create(files.initial_size(), kSizeMax, alignment);
  files.tape = engine->create(files.tape_size(), kSizeMax, alignment);
  files.log = disk.create(0, kSizeMax);
  CHECK(fcntl(files.log, F_SETFL, fcntl(files.log, F_GETFL) | O_APPEND) == 0);
  (*engine)->adopt(files.log, disk.facts(files.log, alignment));
  if (tags != nullptr) {
    for (int fd : {files.random, files.tape, files.log}) engine->put_on_device(fd, alignment, tags);
  }
  files.random_view = dup(files.random);
  files.tape_view = dup(files.tape);
  files.log_view = dup(files.log);
  write_all(files.random_view, initial(kRandomTag, files.initial_size()));
  write_all(files.tape_view, initial(kTapeTag, files.tape_size()));
  return files;
}

WorkloadFiles Workload::real_files(Engine* engine, int direct_flag) {
  WorkloadFiles files;
  const auto make = [](const std::string& name, const std::vector<uint8_t>& content) {
    const int fd = ::open((temporary_folder() + name).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    write_all(fd, content);
    CHECK(fsync(fd) == 0);
    return fd;
  };
  files.random_view = make("/random", initial(kRandomTag, files.initial_size()));
  files.tape_view = make("/tape", initial(kTapeTag, files.tape_size()));
  files.log_view = make("/log", {});
  files.random = engine->open(temporary_folder() + "/random", O_RDWR | direct_flag);
  files.tape = engine->open(temporary_folder() + "/tape", O_RDWR | direct_flag);
  files.log = engine->open(temporary_folder() + "/log", O_RDWR | O_APPEND | direct_flag);
  return files;
}

Workload::Workload(Engine* engine, const WorkloadFiles& files, const WorkloadOptions& options)
    : engine_(*engine), files_(files), options_(options), random_(options.seed) {
  CHECK(files.random >= 0 && files.tape >= 0 && files.log >= 0);
  shadow_ = initial(kRandomTag, files.initial_size());
  tape_ = initial(kTapeTag, files.tape_size());
}

void Workload::run() {
  for (uint32_t i = 0; i < options_.steps; ++i) {
    step();
    if (engine_.outstanding() >= options_.outstanding_max) {
      const size_t fewer = random_.below(options_.outstanding_max);
      engine_.until([&] { return engine_.outstanding() <= fewer; });
    } else if (random_.chance(300)) {
      engine_.turn();
    }
  }
  finish();
}

void Workload::finish() {
  close_all();
  compare(files_.random_view, shadow_);
  compare(files_.tape_view, tape_);
  compare(files_.log_view, log_);
  for (int view : {files_.random_view, files_.tape_view, files_.log_view}) ::close(view);
}

// Of operations that go one after the other: all of them whole up to some point, then at most one in part,
// and nothing behind it. What is said to have been moved, and what may have been: one that is cancelled
// between two attempts says nothing of the first.
Workload::Prefix Workload::prefix_of(int fd) const {
  Prefix prefix;
  bool has_ended = false;
  for (const Issued& issued : issued_) {
    if (issued.fd != fd || issued.bytes == 0) continue;
    const int32_t result = issued.ticket->result;
    if (has_ended) CHECK(is_over(result));
    if (!has_ended) prefix.most = prefix.least + issued.bytes;
    if (result > 0) prefix.least += static_cast<uint64_t>(result);
    has_ended = has_ended || result != static_cast<int32_t>(issued.bytes);
  }
  prefix.most = std::max(prefix.most, prefix.least);
  return prefix;
}

// A file that held `before` and was to become `after`, from its start on.
void Workload::compare_prefix(int view, const std::vector<uint8_t>& before, const std::vector<uint8_t>& after,
                              Prefix prefix) {
  struct stat status;
  CHECK(fstat(view, &status) == 0);
  std::vector<uint8_t> content(static_cast<size_t>(status.st_size));
  CHECK_EQ(pread(view, content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
  CHECK(content.size() >= std::max<uint64_t>(before.size(), prefix.least));
  CHECK(content.size() <= std::max<uint64_t>(before.size(), prefix.most));
  for (uint64_t i = 0; i < content.size(); ++i) {
    const bool is_new = i < prefix.most && content[i] == after[i];
    const bool is_old = i >= prefix.least && i < before.size() && content[i] == before[i];
    if (!is_new && !is_old) fail(__FILE__, __LINE__, "a byte of nobody's at " + std::to_string(i));
  }
}

void Workload::die() {
  dying_ = true;
  std::shared_ptr<Ticket> closed;
  if (random_.chance(500)) closed = engine_.close(files_.log);
  engine_.end();
  for (const Issued& issued : issued_) CHECK(issued.ticket->settled);
  if (closed) CHECK(closed->settled && closed->result == 0 && !is_same_file(files_.log, files_.log_view));
  compare(files_.random_view, shadow_);
  compare_prefix(files_.tape_view, initial(kTapeTag, files_.tape_size()), tape_, prefix_of(files_.tape));
  compare_prefix(files_.log_view, {}, log_, prefix_of(files_.log));
  for (int fd : {files_.random, files_.tape, files_.random_view, files_.tape_view, files_.log_view})
    ::close(fd);
  if (!closed) ::close(files_.log);
}

// Whether it is a result of an engine that ends, rather than of the file: cancelled, or refused by a lane,
// and no other takes it over any more.
bool Workload::is_over(int32_t result) const {
  return dying_ && (result == -ECANCELED || result == -EAGAIN || result == -EOPNOTSUPP);
}

void Workload::check_bytes(int32_t result, uint64_t wanted) const {
  if (dying_ && (is_over(result) || (result > 0 && result < static_cast<int32_t>(wanted)))) return;
  CHECK_EQ(result, static_cast<int32_t>(wanted));
}

void Workload::step() {
  const uint64_t dice = random_.below(100);
  if (dice < 70) return step_positional();
  if (dice < 80 && !options_.may_fail) return step_tape();
  if (dice < 90 && !options_.may_fail) return step_log();
  step_control();
}

void Workload::remember(const std::shared_ptr<Ticket>& ticket, int fd, uint64_t bytes) {
  issued_.push_back({fd, ticket, bytes});
}

Workload::Range Workload::pick_range(uint32_t region) {
  // Short ones are as likely as long ones.
  const uint64_t limit = uint64_t{1} << random_.between(4, 16);
  uint64_t first = random_.below(files_.region);
  uint64_t bytes = random_.between(1, std::min<uint64_t>(limit, files_.region - first));
  if (options_.alignment > 1 && random_.chance(600)) {
    first = first / options_.alignment * options_.alignment;
    bytes = (bytes + options_.alignment - 1) / options_.alignment * options_.alignment;
    bytes = std::min(bytes, files_.region - first);
  }
  return {region * files_.region + first, bytes};
}

std::shared_ptr<Workload::Memory> Workload::make_memory(uint64_t bytes) {
  auto memory = std::make_shared<Memory>();
  const uint32_t pieces = random_.chance(300) ? static_cast<uint32_t>(random_.between(2, 7)) : 1;
  const bool aligned = options_.alignment > 1 && random_.chance(700);
  uint64_t left = bytes;
  for (uint32_t i = 0; i < pieces; ++i) {
    uint64_t size = i + 1 == pieces ? left : random_.below(left + 1);
    if (aligned && i + 1 < pieces) size = size / options_.alignment * options_.alignment;
    memory->pieces.push_back(std::make_unique<GuardedBuffer>(size, aligned ? 0 : random_.below(4096)));
    memory->vectors.push_back({memory->pieces.back()->data(), size});
    left -= size;
  }
  return memory;
}

std::vector<uint8_t> Workload::expect(const std::vector<uint8_t>& shadow, Range range) const {
  const uint64_t first = std::min<uint64_t>(range.offset, shadow.size());
  const uint64_t last = std::min<uint64_t>(range.offset + range.bytes, shadow.size());
  return std::vector<uint8_t>(shadow.begin() + static_cast<std::ptrdiff_t>(first),
                              shadow.begin() + static_cast<std::ptrdiff_t>(last));
}

void Workload::check_read(const Ticket& ticket, const Memory& memory,
                          const std::vector<uint8_t>& expected) const {
  memory.check();
  if ((options_.may_fail && ticket.result == -EIO) || is_over(ticket.result)) return;
  CHECK(ticket.result >= 0);
  const auto bytes = static_cast<uint64_t>(ticket.result);
  CHECK(bytes <= expected.size());
  if (!options_.may_fail && !dying_) CHECK_EQ(bytes, expected.size());
  memory.compare(expected.data(), bytes);
}

void Workload::issue_read(uint32_t region, Range range) {
  ++regions_[region].readers;
  const auto memory = make_memory(range.bytes);
  const auto expected = expect(shadow_, range);
  remember(engine_.transfer(Operation::kRead, files_.random, memory->vectors,
                            static_cast<int64_t>(range.offset), random_.chance(500) ? kFlagCallback : 0u,
                            [this, region, memory, expected](const Ticket& ticket) {
                              --regions_[region].readers;
                              check_read(ticket, *memory, expected);
                            }),
           files_.random);
}

void Workload::issue_write(uint32_t region, Range range) {
  ++regions_[region].writers;
  const auto memory = make_memory(range.bytes);
  ++tag_;
  uint64_t at = range.offset;
  for (const auto& piece : memory->pieces) {
    piece->fill(tag_, at);
    at += piece->size();
  }
  if (shadow_.size() < at) shadow_.resize(at, 0);
  for (uint64_t i = range.offset; i < at; ++i) shadow_[i] = pattern(tag_, i);
  remember(engine_.transfer(Operation::kWrite, files_.random, memory->vectors,
                            static_cast<int64_t>(range.offset), 0,
                            [this, region, range, memory](const Ticket& ticket) {
                              --regions_[region].writers;
                              memory->check();
                              if (ticket.result == static_cast<int32_t>(range.bytes)) return;
                              CHECK(options_.may_fail || dying_);
                              CHECK(ticket.result == -EIO || is_over(ticket.result) ||
                                    (ticket.result > 0 && ticket.result < static_cast<int32_t>(range.bytes)));
                              resync(range);
                            }),
           files_.random);
}

// After a failed write the range holds old and new bytes; the file says which. Only the last region may
// change the size, and this write had it alone.
void Workload::resync(Range range) {
  struct stat status;
  CHECK(fstat(files_.random_view, &status) == 0);
  if (range.offset + range.bytes > 15 * files_.region) shadow_.resize(static_cast<size_t>(status.st_size), 0);
  if (range.offset >= shadow_.size()) return;
  const uint64_t bytes = std::min<uint64_t>(range.bytes, shadow_.size() - range.offset);
  const ssize_t got =
      pread(files_.random_view, shadow_.data() + range.offset, bytes, static_cast<off_t>(range.offset));
  CHECK_EQ(got, static_cast<ssize_t>(bytes));
}

void Workload::step_positional() {
  const bool writes = random_.chance(450);
  // Neighbours in a row give the merging something to do.
  const uint32_t first = static_cast<uint32_t>(random_.below(kRegions));
  const uint64_t fitting = std::min<uint64_t>(6, files_.region / (2u * options_.alignment));
  const uint64_t row = options_.alignment > 1 && random_.chance(300) ? fitting : 1;
  const auto free = [&](uint32_t region) {
    return regions_[region].writers == 0 && (!writes || regions_[region].readers == 0);
  };
  if (row > 1) {
    const uint64_t bytes = options_.alignment * random_.between(1, 2);
    if (first + 1 >= kRegions || !free(first)) return;
    for (uint64_t i = 0; i < row; ++i) {
      const Range range = {first * files_.region + i * bytes, bytes};
      writes ? issue_write(first, range) : issue_read(first, range);
    }
    return;
  }
  if (!free(first)) return;
  const Range range = pick_range(first);
  if (writes) {
    issue_write(first, range);
  } else {
    issue_read(first, range);
  }
}

// Operations at the file position, any number outstanding: the engine has to run them in call order (H27).
void Workload::step_tape() {
  const uint64_t bytes = random_.between(1, uint64_t{1} << random_.between(4, 13));
  if (tape_position_ + bytes > kSizeMax / 2) return;
  const Range range = {tape_position_, bytes};
  const auto memory = make_memory(bytes);
  if (random_.chance(500)) {
    const auto expected = expect(tape_, range);
    tape_position_ += expected.size();
    remember(engine_.transfer(
                 Operation::kRead, files_.tape, memory->vectors, -1, 0,
                 [this, memory, expected](const Ticket& ticket) { check_read(ticket, *memory, expected); }),
             files_.tape, expected.size());
    return;
  }
  ++tag_;
  uint64_t at = range.offset;
  for (const auto& piece : memory->pieces) {
    piece->fill(tag_, at);
    at += piece->size();
  }
  if (tape_.size() < at) tape_.resize(at, 0);
  for (uint64_t i = range.offset; i < at; ++i) tape_[i] = pattern(tag_, i);
  tape_position_ = at;
  remember(engine_.transfer(Operation::kWrite, files_.tape, memory->vectors, -1, 0,
                            [this, memory, bytes](const Ticket& ticket) {
                              memory->check();
                              check_bytes(ticket.result, bytes);
                            }),
           files_.tape, bytes);
}

void Workload::step_log() {
  const uint64_t bytes = random_.between(1, 3000);
  if (log_.size() + bytes > kSizeMax / 2) return;
  const auto memory = make_memory(bytes);
  ++tag_;
  uint64_t at = log_.size();
  for (const auto& piece : memory->pieces) {
    piece->fill(tag_, at);
    at += piece->size();
  }
  for (uint64_t i = log_.size(); i < at; ++i) log_.push_back(pattern(tag_, i));
  // The position of an append is ignored, whatever it is.
  const int64_t position = random_.chance(500) ? -1 : static_cast<int64_t>(random_.below(100));
  remember(engine_.transfer(Operation::kWrite, files_.log, memory->vectors, position, 0,
                            [this, memory, bytes](const Ticket& ticket) {
                              memory->check();
                              check_bytes(ticket.result, bytes);
                            }),
           files_.log, bytes);
}

void Workload::step_control() {
  constexpr uint32_t kLast = kRegions - 1;
  const auto check = [this](const Ticket& ticket) {
    if ((options_.may_fail && ticket.result == -EIO) || is_over(ticket.result)) return;
    CHECK_EQ(ticket.result, 0);
  };
  if (options_.truncates && random_.chance(300) && regions_[kLast].readers == 0 &&
      regions_[kLast].writers == 0) {
    const uint64_t length = kLast * files_.region + random_.below(files_.region);
    const Range all = {kLast * files_.region, files_.region};
    ++regions_[kLast].writers;
    shadow_.resize(length, 0);
    remember(engine_.control(Operation::kFtruncate, files_.random, length,
                             [this, check, all](const Ticket& ticket) {
                               --regions_[kLast].writers;
                               check(ticket);
                               if (ticket.result != 0) resync(all);
                             }),
             files_.random);
    return;
  }
  const Operation operation = random_.chance(500) ? Operation::kFsync : Operation::kFdatasync;
  remember(engine_.control(operation, files_.random, 0, check), files_.random);
}

// ThreadSanitizer would report the late read below, which is a race on the number, made on purpose.
#ifdef __SANITIZE_THREAD__
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif

// A close settles after everything that was accepted before it on its descriptor, and nothing after it is
// accepted (H3).
void Workload::close_all() {
  GuardedBuffer memory(64);
  for (int fd : {files_.random, files_.tape, files_.log}) {
    const auto closed = engine_.close(fd);
    if (!closed->settled && !kThreadSanitizer) {
      const auto late = engine_.read(fd, memory.data(), memory.size(), 0);
      engine_.until_settled(late);
      // A close that has started no longer owns the number: what comes then is the application's own race.
      CHECK(!late->inline_answer || late->result == -EBADF || late->result == kUnsupported);
    }
    engine_.until_settled(closed);
    CHECK_EQ(closed->result, 0);
    // The number may be another file's by now.
    CHECK(!is_same_file(fd, fd == files_.random ? files_.random_view
                            : fd == files_.tape ? files_.tape_view
                                                : files_.log_view));
    for (const Issued& issued : issued_) {
      if (issued.fd == fd) CHECK(issued.ticket->settled && issued.ticket->order < closed->order);
    }
  }
  engine_.until_idle();
}

void Workload::compare(int view, const std::vector<uint8_t>& shadow) {
  struct stat status;
  CHECK(fstat(view, &status) == 0);
  CHECK_EQ(static_cast<uint64_t>(status.st_size), shadow.size());
  std::vector<uint8_t> content(shadow.size());
  CHECK_EQ(pread(view, content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
  for (size_t i = 0; content != shadow; ++i) {
    if (content[i] == shadow[i]) continue;
    fail(__FILE__, __LINE__, "file and shadow differ at byte " + std::to_string(i));
  }
}

}  // namespace ioengine::test
