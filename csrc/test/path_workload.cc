#include "test/path_workload.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "jobs/path_syscalls.h"
#include "jobs/read_file.h"
#include "jobs/write_file.h"
#include "test/check.h"

namespace ioengine::test {

PathWorkload::PathWorkload(Engine* engine, uint64_t seed)
    : engine_(*engine), random_(seed), folder_(temporary_folder() + "/paths-" + std::to_string(getpid())) {
  CHECK(mkdir(folder_.c_str(), 0700) == 0);
}

PathWorkload::~PathWorkload() {
  for (uint32_t name = 0; name < kNames; ++name) ::unlink(path_of(name).c_str());
  rmdir(folder_.c_str());
}

std::string PathWorkload::path_of(uint32_t name) const { return folder_ + "/n" + std::to_string(name); }

// `content`: what a read is to find.
void PathWorkload::expect(uint32_t name, Operation operation, std::unique_ptr<PathJob> job, int32_t result,
                          const std::string* content) {
  ++names_[name].outstanding;
  const bool reads = content != nullptr;
  const std::string wanted = reads ? *content : "";
  engine_.run_in_pool(operation, std::move(job), [=](PathJob* found, int32_t got) {
    --names_[name].outstanding;
    if (dying_ && got == -ECANCELED) {
      for (Name& one : names_) one.unknown = true;
      return;
    }
    CHECK_EQ(got, result);
    if (!reads || got <= 0) return;
    const char* bytes = static_cast<ReadFileJob*>(found)->file->content.get();
    CHECK(bytes != nullptr && wanted == std::string(bytes, static_cast<size_t>(got)));
  });
}

void PathWorkload::write(uint32_t name) {
  Name& file = names_[name];
  auto job = std::make_unique<WriteFileJob>(path_of(name));
  // Each byte depends on the call: what another one has written shows.
  file.content.assign(random_.between(1, 3000), '\0');
  const uint64_t tag = random_.next();
  for (size_t i = 0; i < file.content.size(); ++i) file.content[i] = static_cast<char>(pattern(tag, i));
  file.is_there = true;
  job->flags = O_WRONLY | O_CREAT | O_TRUNC;
  job->mode = 0600;
  // The caller keeps its memory until the call has settled.
  auto memory = std::make_shared<std::string>(file.content);
  job->data = memory->data();
  job->size = memory->size();
  ++file.outstanding;
  engine_.run_in_pool(Operation::kWriteFile, std::move(job), [=](PathJob*, int32_t got) {
    --names_[name].outstanding;
    if (dying_ && got == -ECANCELED) {
      names_[name].unknown = true;
    } else {
      CHECK_EQ(got, static_cast<int32_t>(memory->size()));
    }
  });
}

void PathWorkload::read(uint32_t name) {
  const Name& file = names_[name];
  const auto bytes = static_cast<int32_t>(file.content.size());
  expect(name, Operation::kReadFile,
         std::make_unique<ReadFileJob>(path_of(name), std::make_unique<WholeFile>()),
         file.is_there ? bytes : -ENOENT, &file.content);
}

void PathWorkload::unlink(uint32_t name) {
  Name& file = names_[name];
  expect(name, Operation::kChangePath, std::make_unique<UnlinkJob>(path_of(name)),
         file.is_there ? 0 : -ENOENT);
  file.is_there = false;
}

void PathWorkload::rename(uint32_t name, uint32_t target) {
  Name& from = names_[name];
  Name& to = names_[target];
  expect(name, Operation::kChangePath, std::make_unique<RenameJob>(path_of(name), path_of(target)),
         from.is_there ? 0 : -ENOENT);
  if (!from.is_there || name == target) return;
  to.is_there = true;
  to.content = from.content;
  from.is_there = false;
}

void PathWorkload::step() {
  const auto name = static_cast<uint32_t>(random_.below(kNames));
  const auto other = static_cast<uint32_t>(random_.below(kNames));
  if (names_[name].outstanding > 0 || names_[other].outstanding > 0) return;
  for (uint64_t left = random_.between(1, 4); left > 0; --left) {
    const uint64_t dice = random_.below(100);
    if (dice < 35) {
      write(name);
    } else if (dice < 70) {
      read(random_.chance(500) ? name : other);
    } else if (dice < 85) {
      unlink(name);
    } else {
      rename(name, other);
    }
  }
}

void PathWorkload::compare() {
  for (uint32_t name = 0; name < kNames; ++name) {
    const Name& file = names_[name];
    CHECK_EQ(file.outstanding, 0u);
    if (file.unknown) continue;
    std::ifstream found(path_of(name), std::ios::binary);
    CHECK_EQ(found.is_open(), file.is_there);
    if (file.is_there) CHECK(std::string(std::istreambuf_iterator<char>(found), {}) == file.content);
  }
}

}  // namespace ioengine::test
