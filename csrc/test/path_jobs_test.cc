// What jobs on paths do: where they stop, and what they leave then.
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/limits.h"
#include "base/utf8.h"
#include "jobs/copy_file.h"
#include "jobs/copy_tree.h"
#include "jobs/path_syscalls.h"
#include "jobs/read_directory.h"
#include "jobs/read_file.h"
#include "jobs/read_tree.h"
#include "jobs/remove_tree.h"
#include "jobs/result_codes.h"
#include "test/check.h"
#include "test/files.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

std::string make_chain(const std::string& name, int depth) {
  std::string path = in_folder(name);
  CHECK_EQ(mkdir(path.c_str(), 0700), 0);
  for (int i = 0; i < depth; ++i) {
    put(path + "/file", "");
    path += "/d";
    CHECK_EQ(mkdir(path.c_str(), 0700), 0);
  }
  return in_folder(name);
}

// All slices of it.
int32_t remove(const std::string& path, bool recursive, bool force, int* slices = nullptr) {
  RemoveTreeJob job(path, recursive, force);
  for (int count = 1;; ++count) {
    const int32_t result = job.run();
    CHECK_EQ(result == kUnfinished, job.unfinished() != nullptr);
    if (result == kUnfinished) continue;
    if (slices != nullptr) *slices = count;
    return result;
  }
}

// Red when what is known of the file that was read before it, on another mount, is told of this one's mount.
void a_file_that_is_used_again_knows_nothing() {
  const std::string path = in_folder("used-again");
  put(path, "content");
  auto used = std::make_unique<WholeFile>();
  used->facts.kind = FileKind::kRegular;
  used->facts.filesystem.known = used->facts.filesystem.nowait_reads = true;
  used->facts.filesystem.access_times = AccessTimes::kNever;
  used->facts.append = used->facts.writable = true;
  ReadFileJob job(path, std::move(used));
  CHECK_EQ(job.run(), 7);
  CHECK_EQ(job.file->facts.size, 7u);
  CHECK(job.file->facts.kind == FileKind::kRegular);
  CHECK(!job.file->facts.filesystem.known && !job.file->facts.filesystem.nowait_reads);
  CHECK(job.file->facts.filesystem.access_times == FilesystemTraits().access_times);
  CHECK(!job.file->facts.append && !job.file->facts.writable);
}

void removes_trees_down_to_a_depth() {
  const std::string outside = make_chain("outside", 1);
  const std::string shallow = make_chain("shallow", 20);
  CHECK_EQ(symlink(outside.c_str(), (shallow + "/link").c_str()), 0);
  CHECK_EQ(remove(shallow, false, true), kUnsupported);
  CHECK_EQ(remove(shallow, true, false), 0);
  CHECK(!is_there(shallow));
  CHECK(is_there(outside + "/file"));
  CHECK_EQ(remove(make_chain("deep", limits::tree_depth + 5), true, false), kUnsupported);
  CHECK_EQ(remove(in_folder("absent"), true, false), kUnsupported);
  CHECK_EQ(remove(in_folder("absent"), true, true), 0);
}

// H30. One directory takes much longer than a slice; so do the first steps in it.
void a_long_removal_takes_several_slices() {
  const std::string top = make_chain("long", 5);
  for (int i = 0; i < 60000; ++i) put(top + "/d/d/d/d/d/" + std::to_string(i), "");
  int slices = 0;
  CHECK_EQ(remove(top, true, false, &slices), 0);
  CHECK(slices > 1);
  CHECK(!is_there(top));
}

size_t open_descriptors() {
  DIR* directory = opendir("/proc/self/fd");
  size_t count = 0;
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

// What a removal keeps open between its slices counts against the bound, beyond which it starts at the top
// again; and is closed when the removal is cancelled.
void a_removal_keeps_its_directories_within_the_bound() {
  const size_t before = open_descriptors();
  const std::string top = make_chain("held", 40);
  std::string bottom = top;
  for (int level = 0; level < 40; ++level) bottom += "/d";
  for (int file = 0; file < 60000; ++file) put(bottom + "/" + std::to_string(file), "");
  RemoveTreeJob job(top, true, false);
  {
    HeldDescriptors others;
    CHECK(others.take(limits::held_descriptors - 40));
    CHECK_EQ(job.run(), kUnfinished);
    CHECK_EQ(open_descriptors(), before);
  }
  if (job.run() == kUnfinished) CHECK_EQ(open_descriptors(), before + 41);
  job.cancel();
  CHECK_EQ(open_descriptors(), before);
  if (is_there(top)) CHECK_EQ(remove(top, true, false), 0);
}

void lists_names_in_order_of_bytes() {
  const std::string top = make_chain("names", 0);
  for (const char* name : {"b", "a", "\xff", "..x", "B"}) put(top + "/" + name, "");
  CHECK_EQ(symlink("nowhere", (top + "/c").c_str()), 0);
  ReadDirectoryJob job(top, false), typed(top, true), file(top + "/a", false);
  CHECK_EQ(job.run(), 0);
  CHECK(job.found == "..x/B/a/b/c/\xff/");
  CHECK_EQ(typed.run(), 0);
  CHECK(typed.found == job.found + "\1\1\1\1\3\1");
  CHECK_EQ(file.run(), -ENOTDIR);
}

struct Tree {
  ReadTreeJob job;
  explicit Tree(const std::string& top, bool with_types = false, const std::string& below = "")
      : job(top, with_types, below) {}
  int32_t run() { return job.run(); }
  // With a comma for each NUL.
  std::string found() const {
    std::string text = job.found;
    for (char& byte : text) byte = byte == '\0' ? ',' : byte;
    return text;
  }
};

void lists_a_tree_the_last_directory_first() {
  const std::string top = make_chain("tree", 2);
  CHECK_EQ(mkdir((top + "/a").c_str(), 0700), 0);
  put(top + "/a/b", "");
  CHECK_EQ(symlink("../d/d", (top + "/a/link").c_str()), 0);
  CHECK_EQ(symlink(".", (top + "/a/loop").c_str()), 0);
  Tree typed(top, true);
  CHECK_EQ(typed.run(), 0);
  CHECK(typed.found() == ",\2\2\1,a,d,file,d,\2\1,d,file,d/d,,a,\1\3\3,b,link,loop,");
  // The loop is followed for as long as the kernel follows links.
  Tree named(top);
  CHECK_EQ(named.run(), 0);
  CHECK(named.found().rfind("a,d,file,d/d,d/file,a/b,a/link,a/loop,a/loop/b,a/loop/link,a/loop/loop,", 0) ==
        0);
  Tree below(top, true, std::string("a\0d", 3));
  CHECK_EQ(below.run(), 0);
  CHECK(below.found() == "d,\2\1,d,file,d/d,,a,\1\3\3,b,link,loop,");
}

void a_tree_that_fails_is_left_to_node() {
  const std::string top = make_chain("failing", 1);
  CHECK_EQ(Tree(in_folder("absent")).run(), -ENOENT);
  CHECK_EQ(Tree(top + "/file").run(), -ENOTDIR);
  CHECK_EQ(Tree(top, false, "gone").run(), kUnsupported);
}

void a_long_listing_takes_several_jobs() {
  const std::string top = make_chain("wide", 0);
  for (int i = 0; i < 40000; ++i) CHECK_EQ(mkdir((top + "/" + std::to_string(i)).c_str(), 0700), 0);
  std::string below;
  size_t names = 0, jobs = 0;
  for (int32_t result = kUnfinished; result == kUnfinished; ++jobs) {
    Tree tree(top, false, below);
    result = tree.run();
    CHECK(result == 0 || result == kUnfinished);
    CHECK_EQ(!tree.job.left.empty(), result == kUnfinished);
    names += static_cast<size_t>(std::count(tree.job.found.begin(), tree.job.found.end(), '\0'));
    below = tree.job.left.substr(0, tree.job.left.empty() ? 0 : tree.job.left.size() - 1);
  }
  CHECK_EQ(names, 40000u);
  CHECK(jobs > 1);
}

// All slices of it.
int32_t copy(CopyTreeJob* job) {
  for (;;) {
    const int32_t result = job->run();
    CHECK_EQ(result == kUnfinished, job->unfinished() != nullptr);
    if (result != kUnfinished) return result;
  }
}

int32_t copy(const std::string& from, const std::string& to) {
  CopyTreeJob job(from, to, kCopyRecursive);
  return copy(&job);
}

void copies_trees_links_and_modes_last() {
  const std::string from = make_chain("copied", 3), to = in_folder("copy");
  CHECK_EQ(symlink("../a/./b", (from + "/link").c_str()), 0);
  put(from + "/large", std::string(limits::copy_buffer_bytes * 2 + 1, 'x'));
  CHECK_EQ(chmod((from + "/d").c_str(), 0500), 0);
  CHECK_EQ(copy(from, to), 0);
  CHECK(content(to + "/large") == content(from + "/large"));
  CHECK(is_there(to + "/d/d/file") && is_there(to + "/d/d/d"));
  char text[4096] = {};
  CHECK(readlink((to + "/link").c_str(), text, sizeof(text)) > 0);
  CHECK(in_folder("a/b") == text);
  struct stat status;
  CHECK(stat((to + "/d").c_str(), &status) == 0 && (status.st_mode & 07777) == 0500);
  // The link is there now, and no file is copied over itself: both are node's to refuse. No directory has
  // been made, so no mode is left to set.
  CHECK_EQ(copy(from, to), kUnsupported);
  CHECK_EQ(copy(from, from + "/d/new"), kUnsupported);
  CHECK_EQ(copy(from + "/file", from + "/file"), kUnsupported);
  CHECK_EQ(copy(from + "/absent", to), kUnsupported);
}

void a_copy_that_stops_leaves_no_links_and_tells_the_modes() {
  const std::string from = make_chain("stopping", 2), to = in_folder("stopped");
  CHECK_EQ(symlink("file", (from + "/link").c_str()), 0);
  CHECK_EQ(mkdir((from + "/d/complete").c_str(), 0750), 0);
  CHECK_EQ(mkfifo((from + "/d/d/fifo").c_str(), 0600), 0);
  CopyTreeJob job(from, to, kCopyRecursive);
  CHECK_EQ(copy(&job), kCopyStopped);
  // Which of the two comes first is the filesystem's to say.
  const bool is_made = is_there(to + "/d/complete");
  std::vector<std::pair<std::string, mode_t>> expected = {{to + "/d/d", 0700}, {to + "/d", 0700}, {to, 0700}};
  if (is_made) expected.insert(expected.begin(), {to + "/d/complete", 0750});
  CHECK_EQ(job.modes.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    CHECK(job.modes[i].path == expected[i].first && job.modes[i].mode == expected[i].second);
  CHECK(!is_there(to + "/link"));
}

void a_long_copy_takes_several_slices() {
  const std::string from = make_chain("much", 0), to = in_folder("copied much");
  for (int i = 0; i < 5000; ++i) put(from + "/" + std::to_string(i), std::to_string(i));
  put(from + "/large", std::string(96 << 20, 'x'));
  CopyTreeJob job(from, to, kCopyRecursive);
  int slices = 1;
  int32_t result;
  while ((result = job.run()) == kUnfinished) ++slices;
  CHECK_EQ(result, 0);
  CHECK(slices > 1);
  for (int i = 0; i < 5000; ++i) CHECK(content(to + "/" + std::to_string(i)) == std::to_string(i));
  CHECK(content(to + "/large") == content(from + "/large"));
}

// H30. Other files take both names behind each slice: the copy is of the one that it has begun with.
void a_copy_keeps_its_files() {
  const std::string from = in_folder("kept from"), to = in_folder("kept to"), aside = in_folder("kept aside");
  const size_t size = 96 << 20;
  put(from, std::string(size, 'A'));
  CopyTreeJob job(from, to, kCopyRecursive);
  int slices = 1;
  int32_t result;
  while ((result = job.run()) == kUnfinished) {
    if (++slices > 2) continue;
    put(aside, std::string(size, 'B'));
    CHECK_EQ(rename(aside.c_str(), from.c_str()), 0);
    CHECK_EQ(rename(to.c_str(), aside.c_str()), 0);
    put(to, "not of the copy");
  }
  CHECK_EQ(result, 0);
  CHECK(slices > 1);
  CHECK(content(aside) == std::string(size, 'A'));
  CHECK(content(to) == "not of the copy");
}

// Beyond the bound a file is copied to its end; a cancelled copy closes what it has open.
void many_copies_hold_few_descriptors() {
  const size_t before = open_descriptors();
  const std::string from = in_folder("copied often");
  put(from, "");
  CHECK_EQ(truncate(from.c_str(), 64 << 20), 0);
  std::vector<std::unique_ptr<CopyTreeJob>> copies;
  HeldDescriptors others;
  CHECK(others.take(limits::held_descriptors - 2 * FileCopy::kDescriptors));
  size_t unfinished = 0;
  for (int i = 0; i < 4; ++i) {
    copies.push_back(
        std::make_unique<CopyTreeJob>(from, in_folder("copy " + std::to_string(i)), kCopyRecursive));
    const int32_t result = copies.back()->run();
    CHECK(result == 0 || result == kUnfinished);
    unfinished += result == kUnfinished;
    CHECK_EQ(open_descriptors() - before, unfinished * FileCopy::kDescriptors);
  }
  CHECK(unfinished <= 2);
  copies.clear();
  CHECK_EQ(open_descriptors(), before);
}

void knows_utf8() {
  for (const char* text :
       {"", "a", "\x7f", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    CHECK(is_utf8(text));
  for (const char* text : {"\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
                           "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xff", "a\xf0\x9f\x98", "\xe2\x28\xa1"})
    CHECK(!is_utf8(text));
}

int32_t make_all(const std::string& path, std::string* first) {
  MakeDirectoriesJob job(path, 0700);
  const int32_t result = job.run();
  *first = job.found;
  return result;
}

void makes_what_is_missing() {
  const std::string top = make_chain("making", 0);
  std::string first;
  CHECK_EQ(make_all(top + "/a/b/c", &first), 0);
  CHECK(first == top + "/a");
  CHECK(is_there(top + "/a/b/c"));
  CHECK_EQ(make_all(top + "/a/b/d", &first), 0);
  CHECK(first == top + "/a/b/d");
  CHECK_EQ(make_all(top + "/a/b", &first), 0);
  CHECK(first.empty());
  put(top + "/file", "");
  CHECK_EQ(make_all(top + "/file", &first), kUnsupported);
  CHECK_EQ(make_all(top + "/file/x", &first), kUnsupported);
}

// Where few descriptors may be open, most of them stay the program's.
void jobs_hold_no_more_than_a_quarter_of_the_descriptors() {
  const int status = status_of_child([] {
    const rlimit limit = {128, 128};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    HeldDescriptors held;
    CHECK(held.take(32));
    CHECK(!held.take(1));
  });
  CHECK(ended_well(status));
}

}  // namespace

int main() {
  // Tens of thousands of files: in memory where there are folders in memory.
  if (access("/dev/shm", W_OK | X_OK) == 0) setenv("TMPDIR", "/dev/shm", 0);
  a_file_that_is_used_again_knows_nothing();
  removes_trees_down_to_a_depth();
  a_long_removal_takes_several_slices();
  a_removal_keeps_its_directories_within_the_bound();
  jobs_hold_no_more_than_a_quarter_of_the_descriptors();
  lists_names_in_order_of_bytes();
  lists_a_tree_the_last_directory_first();
  a_tree_that_fails_is_left_to_node();
  a_long_listing_takes_several_jobs();
  copies_trees_links_and_modes_last();
  a_copy_that_stops_leaves_no_links_and_tells_the_modes();
  a_long_copy_takes_several_slices();
  a_copy_keeps_its_files();
  many_copies_hold_few_descriptors();
  knows_utf8();
  makes_what_is_missing();
  return 0;
}
