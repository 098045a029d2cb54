// What /proc/self/mountinfo says: which filesystems may wait for a server, and what is mounted below them.
#include <sys/sysmacros.h>

#include "jobs/mount_list.h"
#include "test/check.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

void types() {
  for (const char* type : {"nfs", "nfs4", "cifs", "ceph", "lustre", "9p", "virtiofs", "fuse",
                           "fuse.glusterfs", "fuseblk", "autofs", "zfs", "made-up"})
    CHECK(kind_of_type(type) == FilesystemKind::kRemote);
  for (const char* type : {"ext4", "xfs", "btrfs", "tmpfs", "overlay", "proc", "sysfs", "cgroup2"})
    CHECK(kind_of_type(type) != FilesystemKind::kRemote);
}

// Red when a local mount below a remote one is taken for remote, when the first of two on one point is taken,
// or when what is escaped in a name stays so.
void lines() {
  const auto list = parse_mounts(
      "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
      "30 22 0:40 / /srv rw - nfs4 host:/srv rw\n"
      "31 30 8:2 / /srv/local rw master:1 propagate_from:2 - xfs /dev/sdb rw\n"
      "32 22 0:41 / /a\\040b rw - fuse.sshfs host: rw\n"
      "33 22 0:42 / /twice rw - fuse.first one rw\n"
      "34 22 8:3 / /twice rw - ext4 /dev/sdc rw\n"
      "35 22 0:43 / /srvother rw - tmpfs none rw\n"
      "no line at all\n");
  CHECK_EQ(list.all.size(), 6u);
  const auto& mounts = list.remote;
  CHECK_EQ(mounts.size(), 3u);
  CHECK(mounts[0].point == "/srv/local" && !mounts[0].remote());
  CHECK_EQ(mounts[0].device, makedev(8, 2));
  for (size_t i = 1; i < 3; ++i) {
    CHECK(mounts[i].remote());
    CHECK(mounts[i].point == "/srv" ? mounts[i].device == makedev(0, 40) : mounts[i].point == "/a b");
  }
}

// Whatever is cut off.
void no_list() {
  const std::string_view text = "30 22 0:40 / /s\\040 rw - nfs4 host:/srv rw\n";
  for (size_t length = 0; length < text.size(); ++length)
    CHECK(parse_mounts(text.substr(0, length)).all.size() <= 1);
}

}  // namespace

int main() {
  types();
  lines();
  no_list();
  return 0;
}
