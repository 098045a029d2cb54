#include "jobs/mount_list.h"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <unordered_map>
#include <unordered_set>

#include "base/eintr.h"

namespace ioengine {
namespace {

// A line of the list. The list has more than what can be seen: what is mounted over a folder hides whatever
// was mounted there or below it.
struct Line {
  Mount mount;
  uint64_t id = 0;
  uint64_t parent = 0;  // the mount that this one is mounted on
};

using Index = size_t;
using ByPoint = std::unordered_map<std::string_view, Index>;

// The first folder above a point, the highest one first, that `wanted` accepts.
template <typename Wanted>
bool any_above(std::string_view point, Wanted wanted) {
  if (point.size() <= 1) return false;
  if (wanted(std::string_view("/"))) return true;
  for (size_t slash = point.find('/', 1); slash != std::string_view::npos;
       slash = point.find('/', slash + 1)) {
    if (wanted(point.substr(0, slash))) return true;
  }
  return false;
}

// Which mounts a path can lead to or through. A mount is out of reach where another one on the same parent is
// on a folder above it, or later on the same one; and so is whatever is mounted on it.
class Reach {
 public:
  explicit Reach(const std::vector<Line>& lines) : lines_(lines), known_(lines.size(), kUnknown) {
    for (Index i = 0; i < lines.size(); ++i) {
      by_id_[lines[i].id] = i;
      siblings_[parent_of(lines[i])][lines[i].mount.point] = i;
    }
  }

  // Not those that another one covers as a whole.
  bool sees(Index index) {
    const Line& line = lines_[index];
    const auto children = siblings_.find(line.id);
    return reaches(index) && (children == siblings_.end() || children->second.count(line.mount.point) == 0);
  }

 private:
  enum Answer : uint8_t { kUnknown, kNo, kYes };

  // The first mount of a system is its own parent.
  static uint64_t parent_of(const Line& line) { return line.parent != line.id ? line.parent : UINT64_MAX; }

  bool is_hidden(const Line& line, Index index) const {
    const ByPoint& others = siblings_.at(parent_of(line));
    return others.at(line.mount.point) != index ||
           any_above(line.mount.point, [&](std::string_view folder) { return others.count(folder) > 0; });
  }

  bool reaches(Index index) {
    std::vector<Index> way;
    Answer answer = kYes;
    while (answer == kYes && way.size() <= lines_.size()) {
      way.push_back(index);
      if (known_[index] != kUnknown) {
        answer = known_[index];
        break;
      }
      const auto parent = by_id_.find(parent_of(lines_[index]));
      if (is_hidden(lines_[index], index)) answer = kNo;
      if (parent == by_id_.end()) break;  // of a process with a root of its own, or the first
      index = parent->second;
    }
    if (way.size() > lines_.size()) answer = kNo;  // a circle
    for (const Index one : way) known_[one] = answer;
    return answer == kYes;
  }

  const std::vector<Line>& lines_;
  std::vector<Answer> known_;
  std::unordered_map<uint64_t, Index> by_id_;
  std::unordered_map<uint64_t, ByPoint> siblings_;  // by parent
};

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

uint64_t number_of(std::string_view text) { return std::strtoull(std::string(text).c_str(), nullptr, 10); }

// "major:minor"
uint64_t device_of(std::string_view text) {
  const std::string number(text);
  char* end = nullptr;
  const auto major_number = static_cast<unsigned>(std::strtoul(number.c_str(), &end, 10));
  const auto minor_number = *end == ':' ? static_cast<unsigned>(std::strtoul(end + 1, nullptr, 10)) : 0;
  return makedev(major_number, minor_number);
}

// 36 35 98:0 /root /point options [tags ...] - type source super-options
bool parse_line(std::string_view line, Line* parsed) {
  Mount* mount = &parsed->mount;
  parsed->id = number_of(next_field(&line));
  parsed->parent = number_of(next_field(&line));
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
  std::vector<Line> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    Line line;
    if (parse_line(text.substr(0, end), &line)) lines.push_back(std::move(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  MountList list;
  std::vector<Mount>& all = list.all;
  Reach reach(lines);
  for (Index i = 0; i < lines.size(); ++i) {
    if (reach.sees(i)) all.push_back(lines[i].mount);
  }
  const auto is_longer = [](const Mount& a, const Mount& b) { return a.point.size() > b.point.size(); };
  std::stable_sort(all.begin(), all.end(), is_longer);
  std::unordered_set<std::string_view> remote;
  for (const Mount& mount : all) {
    if (mount.remote()) remote.insert(mount.point);
  }
  const auto is_remote = [&](std::string_view folder) { return remote.count(folder) > 0; };
  for (const Mount& mount : all) {
    if (mount.remote() || any_above(mount.point, is_remote)) list.remote.push_back(mount);
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
