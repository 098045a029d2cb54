#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "jobs/directory_entries.h"
#include "jobs/path_job.h"
#include "jobs/read_directory.h"
#include "jobs/result_codes.h"

namespace ioengine {
namespace {

void write_out(const Entries& entries, bool with_types, std::string* text) {
  text->reserve(entries.names.size() + entries.list.size());
  for (const Entry& entry : entries.list) {
    text->append(entries.name(entry));
    text->push_back('/');
  }
  if (!with_types) return;
  for (const Entry& entry : entries.list) text->push_back(uv_type(entry));
}

}  // namespace

int32_t read_directory(PathJob* job) {
  const int fd = open(job->path.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
  if (fd == -1) return -errno;
  Entries entries;
  bool complete = entries.read(fd);
  entries.sort();
  const bool with_types = job->first != 0;
  for (Entry& entry : entries.list) {
    if (with_types && complete) complete = entries.find_type(fd, &entry);
  }
  ::close(fd);
  if (!complete) return kNotTaken;
  write_out(entries, with_types, &job->found);
  return 0;
}

}  // namespace ioengine
