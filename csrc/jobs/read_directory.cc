#include "jobs/read_directory.h"

#include <fcntl.h>

#include <cerrno>
#include <string>

#include "base/owned_fd.h"
#include "jobs/directory_entries.h"
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

int32_t ReadDirectoryJob::run() {
  const OwnedFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.is_open()) return -errno;
  Entries entries;
  bool complete = entries.read(fd.get());
  entries.sort();
  for (Entry& entry : entries.list) {
    if (with_types && complete) complete = entries.find_type(fd.get(), &entry);
  }
  if (!complete) return kUnsupported;
  write_out(entries, with_types, &found);
  return 0;
}

}  // namespace ioengine
