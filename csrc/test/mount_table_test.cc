// Which queue of the pool a path goes to: that of the longest mount point of a remote filesystem, as the
// kernel lists them.
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "base/limits.h"
#include "jobs/mount_list.h"
#include "scheduler/mount_table.h"
#include "test/check.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

// Lines as the kernel writes them: optional fields, escapes, a second mount on the same point.
constexpr const char* kMountInfo =
    "21 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
    "22 21 0:20 / /proc rw,nosuid shared:12 master:3 - proc proc rw\n"
    "30 21 0:41 / /mnt/nfs rw,relatime shared:15 - nfs4 server:/export rw,vers=4.2\n"
    "31 30 254:2 / /mnt/nfs/cache rw - xfs /dev/vdb rw\n"
    "32 21 0:42 / /mnt/with\\040space rw - fuse.sshfs host: rw\n"
    "33 21 0:43 / /mnt/covered rw - fuse.s3 s3 rw\n"
    "34 21 254:3 / /mnt/covered rw - ext4 /dev/vdc rw\n"
    "35 21 0:44 / /mnt/n rw - 9p share rw\n"
    "broken line\n";

void parses_what_the_kernel_writes() {
  set_context("parse_mounts");
  const std::vector<Mount> mounts = parse_mounts(kMountInfo).remote;
  CHECK_EQ(mounts.size(), 4u);
  const char* const kPoints[] = {"/mnt/with space", "/mnt/nfs/cache", "/mnt/nfs", "/mnt/n"};
  for (size_t i = 0; i < 4; ++i) {
    CHECK(mounts[i].point == kPoints[i]);
    CHECK_EQ(mounts[i].remote(), i != 1);
  }
  CHECK(parse_mounts("").all.empty());
}

void finds_the_longest_prefix() {
  set_context("queue_of");
  MountTable table;
  CHECK(!table.known());
  CHECK(table.wants_reading());
  CHECK(!table.wants_reading());  // it is being read
  table.learn(parse_mounts(kMountInfo));
  CHECK(table.known());
  const uint16_t nfs = table.queue_of("/mnt/nfs");
  CHECK(nfs != 0);
  for (const char* path : {"/mnt/nfs/", "/mnt/nfs/a/b", "/mnt/nfs/.", "/mnt/nfs/..a/.b/...",
                           "/mnt/cache/../nfs", "//mnt/./nfs/a", "/mnt/x/../nfs/a", "/mnt/nfs/cachet"})
    CHECK_EQ(table.queue_of(path), nfs);
  for (const char* path :
       {"/", "/mnt", "/mnt/nf", "/mnt/nfsx", "/mnt/nfs/cache/a", "/mnt/nfs/..", "/mnt/covered/a", ""})
    CHECK_EQ(table.queue_of(path), 0);
  CHECK(table.queue_of("/mnt/n/a") != nfs && table.queue_of("/mnt/n/a") != 0);
  CHECK(table.point_of(nfs) == "/mnt/nfs");
  CHECK(table.point_of(0).empty());
  CHECK(table.point_of_path("/mnt/nfs/cache/a") == "/mnt/nfs/cache");
  CHECK(table.point_of_path("/srv") == "/");
  const std::pair<const char*, FilesystemKind> kKinds[] = {
      {"/srv/a", FilesystemKind::kLocal},        {"/proc/a", FilesystemKind::kSpecial},
      {"/mnt/nfs/a", FilesystemKind::kRemote},   {"/mnt/nfs/cache/a", FilesystemKind::kLocal},
      {"/mnt/nfs/b", FilesystemKind::kRemote},   {"/mnt/nfs/c", FilesystemKind::kRemote},
      {"/mnt/covered/a", FilesystemKind::kLocal}};
  for (const auto& [path, kind] : kKinds) CHECK(table.kind_of(path) == kind);
}

// Red when what a mount point is, is remembered of the folder that it is in.
void a_mount_point_is_not_its_folder() {
  set_context("kind_of");
  MountTable table;
  table.learn(parse_mounts(kMountInfo));
  for (int round = 0; round < 2; ++round) {
    CHECK(table.kind_of("/mnt/nfs") == FilesystemKind::kRemote);
    CHECK(table.kind_of("/mnt/file") == FilesystemKind::kLocal);
    CHECK(table.kind_of("/mnt/nfs/") == FilesystemKind::kRemote);
    CHECK(table.kind_of("/mnt/nfs/cache") == FilesystemKind::kLocal);
    CHECK(table.kind_of("/mnt/nfs/file") == FilesystemKind::kRemote);
  }
}

// Red when what a relative folder is on is remembered across a chdir(2).
void a_relative_path_is_of_where_we_are() {
  set_context("kind_of, relative");
  MountTable table;
  table.learn(
      parse_mounts("21 1 254:1 / / rw - ext4 /dev/vda rw\n30 21 0:41 / /usr rw - nfs4 server:/export rw\n"));
  for (const char* path : {"file", "lib/file"}) {
    CHECK_EQ(chdir("/usr"), 0);
    CHECK(table.kind_of(path) == FilesystemKind::kRemote);
    CHECK_EQ(chdir("/"), 0);
    CHECK(table.kind_of(path) == FilesystemKind::kLocal);
  }
}

// Red when a list that could not be opened or read is one for good, which says that nothing is remote.
void a_list_that_cannot_be_read_is_read_later() {
  set_context("no descriptor for the list of mounts");
  const int status = status_of_child([] {
    rlimit before;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none = {0, before.rlim_max};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    MountTable table;
    CHECK_EQ(table.fd(), -1);
    CHECK(table.wants_reading());
    table.fail();
    CHECK(table.known());  // calls do not wait for it
    CHECK(!table.wants_reading());
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    usleep(limits::make_again_ns / 1000 + 20000);
    CHECK(table.wants_reading());
    CHECK(table.fd() >= 0);
    table.learn(parse_mounts(kMountInfo));
    CHECK(table.queue_of("/mnt/nfs/a") != 0);
    // What was known is better than nothing.
    usleep(limits::mount_look_ns / 1000 + 1000);
    CHECK(!table.wants_reading());
    table.fail();
    CHECK(table.queue_of("/mnt/nfs/a") != 0);
  });
  CHECK(ended_well(status));
}

// Where the root itself is remote only what is mounted over it is not; and paths go by the current folder.
void serves_a_remote_root() {
  set_context("a remote root");
  MountTable table;
  const std::string folder = temporary_folder();
  table.learn(
      parse_mounts("21 1 0:50 / / rw - 9p root rw\n22 21 254:1 / " + folder + " rw - ext4 /dev/vda rw\n"));
  CHECK(table.queue_of("/etc/passwd") != 0);
  CHECK_EQ(table.queue_of(folder + "/a"), 0);
  CHECK_EQ(chdir(folder.c_str()), 0);
  CHECK_EQ(table.queue_of("a"), 0);
  CHECK_EQ(table.queue_of("./a/../b"), 0);
  CHECK(table.queue_of("../a") != 0);
  CHECK_EQ(chdir("/"), 0);
  CHECK(table.queue_of("a") != 0);
}

void more_mounts_than_queues() {
  set_context("more mounts than queues");
  MountTable table;
  for (uint64_t device = 1; device <= limits::mount_queues + 100; ++device) {
    const uint16_t queue = table.queue_of_device(device);
    CHECK(queue >= 1 && queue <= limits::mount_queues);
    CHECK_EQ(table.queue_of_device(device), queue);
  }
}

void reads_the_list() {
  set_context("MountListJob");
  const MountTable table;
  MountListJob job(table.fd());
  CHECK_EQ(job.run(), 0);
  MountListJob second(job.fd);
  CHECK_EQ(second.run(), 0);
  CHECK_EQ(second.list.all.size(), job.list.all.size());
}

}  // namespace

int main() {
  parses_what_the_kernel_writes();
  finds_the_longest_prefix();
  a_mount_point_is_not_its_folder();
  a_relative_path_is_of_where_we_are();
  a_list_that_cannot_be_read_is_read_later();
  serves_a_remote_root();
  more_mounts_than_queues();
  reads_the_list();
  return 0;
}
