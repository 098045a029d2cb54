#include "jobs/mount_list.h"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "base/eintr.h"

namespace ioengine {
namespace {

bool is_below(std::string_view point, std::string_view other) {
  if (point.size() <= other.size() || point.substr(0, other.size()) != other) return false;
  return other == "/" || point[other.size()] == '/';
}

// A field of a line, which ends at a space.
std::string_view next_field(std::string_view* line) {
  const size_t end = std::min(line->find(' '), line->size());
  const std::string_view field = line->substr(0, end);
  line->remove_prefix(std::min(end + 1, line->size()));
  return field;
}

// Space, tab, newline and backslash are written as a backslash and three octal digits.
std::string unescaped(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

// "major:minor"
uint64_t device_of(std::string_view text) {
  const std::string number(text);
  char* end = nullptr;
  const auto major_number = static_cast<unsigned>(std::strtoul(number.c_str(), &end, 10));
  const auto minor_number = *end == ':' ? static_cast<unsigned>(std::strtoul(end + 1, nullptr, 10)) : 0;
  return makedev(major_number, minor_number);
}

// 36 35 98:0 /root /point options [tags ...] - type source super-options
bool parse_line(std::string_view line, Mount* mount) {
  next_field(&line);
  next_field(&line);
  mount->device = device_of(next_field(&line));
  next_field(&line);
  mount->point = unescaped(next_field(&line));
  const size_t dash = line.find(" - ");
  if (mount->point.empty() || dash == std::string_view::npos) return false;
  line.remove_prefix(dash + 3);
  mount->kind = kind_of_type(next_field(&line));
  return true;
}

}  // namespace

MountList parse_mounts(std::string_view text) {
  MountList list;
  std::vector<Mount>& all = list.all;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    Mount mount;
    if (parse_line(text.substr(0, end), &mount)) {
      const auto same = [&](const Mount& other) { return other.point == mount.point; };
      all.erase(std::remove_if(all.begin(), all.end(), same), all.end());
      all.push_back(std::move(mount));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const auto is_longer = [](const Mount& a, const Mount& b) { return a.point.size() > b.point.size(); };
  std::stable_sort(all.begin(), all.end(), is_longer);
  for (const Mount& mount : all) {
    const auto covers = [&](const Mount& other) {
      return other.remote() && is_below(mount.point, other.point);
    };
    if (mount.remote() || std::any_of(all.begin(), all.end(), covers)) list.remote.push_back(mount);
  }
  return list;
}

int32_t MountListJob::run() {
  std::string text;
  char part[16384];
  for (;;) {
    const auto offset = static_cast<off_t>(text.size());
    const int32_t count = without_eintr([&] { return ::pread(fd, part, sizeof(part), offset); });
    if (count < 0) return count;
    if (count == 0) break;
    text.append(part, static_cast<size_t>(count));
  }
  list = parse_mounts(text);
  return 0;
}

}  // namespace ioengine
