// What /proc/self/mountinfo says: which filesystems may wait for a server, and what is mounted below them.
#include <sys/sysmacros.h>

#include "base/clock.h"
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

bool has(const std::vector<Mount>& mounts, const std::string& point, uint64_t device) {
  for (const Mount& mount : mounts) {
    if (mount.point == point) return mount.device == device;
  }
  return false;
}

// What is mounted over a folder hides what was mounted below it: the list has both. Red when what nobody can
// reach any more is taken for what is seen.
void mounts_over_others() {
  const auto list = parse_mounts(
      "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
      "30 22 8:2 / /data/disk rw - ext4 /dev/sdb rw\n"
      "31 30 0:31 / /data/disk/tmp rw - tmpfs none rw\n"
      "32 22 0:40 / /data rw - nfs4 host:/data rw\n"    // over both
      "33 32 8:3 / /data/local rw - xfs /dev/sdc rw\n"  // on the one above
      "40 22 0:41 / /gone/server rw - nfs4 host:/gone rw\n"
      "41 22 0:32 / /gone rw - tmpfs none rw\n"     // over it
      "51 50 8:4 / /below rw - ext4 /dev/sdd rw\n"  // beneath the next one, which came before it
      "50 22 0:33 / /below rw - tmpfs none rw\n");
  CHECK_EQ(list.all.size(), 5u);
  CHECK(has(list.all, "/", makedev(8, 1)));
  CHECK(has(list.all, "/data", makedev(0, 40)));
  CHECK(has(list.all, "/data/local", makedev(8, 3)));
  CHECK(has(list.all, "/gone", makedev(0, 32)));
  CHECK(has(list.all, "/below", makedev(8, 4)));
  CHECK_EQ(list.remote.size(), 2u);
  // A root that is mounted over, and one whose mount is not in the list (chroot).
  const auto covered = parse_mounts(
      "1 1 0:1 / / rw - rootfs rootfs rw\n"
      "20 1 0:50 / / rw - 9p share rw\n"
      "21 20 8:1 / /disk rw - ext4 /dev/sda1 rw\n");
  CHECK_EQ(covered.all.size(), 2u);
  CHECK(has(covered.remote, "/", makedev(0, 50)));
  const auto jail = parse_mounts(
      "21 20 0:5 / /dev rw - devtmpfs none rw\n"
      "22 20 0:40 / /home rw - nfs host:/ rw\n"
      "23 22 8:1 / /home/disk rw - ext4 /dev/sda1 rw\n");
  CHECK_EQ(jail.all.size(), 3u);
  CHECK_EQ(jail.remote.size(), 2u);
}

// Quadratic it would be a minute. Red when each is compared with all the others.
void many_mounts() {
  std::string text = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:40 / /srv rw - nfs host:/ rw\n";
  for (int i = 100; i < 40000; ++i) {
    const std::string number = std::to_string(i);
    text += number + " 22 0:" + number + " / /var/lib/pods/" + number + "/volume rw - tmpfs none rw\n";
  }
  const uint64_t before = monotonic_ns();
  const auto list = parse_mounts(text);
  CHECK_EQ(list.all.size(), 39902u);
  CHECK_EQ(list.remote.size(), 1u);
  CHECK(monotonic_ns() - before < uint64_t{3} * 1000 * 1000 * 1000);
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
  mounts_over_others();
  many_mounts();
  no_list();
  return 0;
}
