// Which calls on paths wait for which: copies of one file do not wait for each other, and what changes a file
// waits for those that read it.
#include "scheduler/path_order.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jobs/copy_one_file.h"
#include "jobs/path_syscalls.h"
#include "jobs/stat_path.h"
#include "test/check.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

class Call {
 public:
  Call(PathOrder* order, Operation operation, std::unique_ptr<PathJob> job)
      : order_(order), job_(std::move(job)) {
    request_.operation = operation;
    request_.job = job_.get();
    order->add(&request_);
    earlier_ = order->find_earlier(&request_);
  }
  ~Call() { settle(); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  bool waits_for(const Call& other) const { return waits_for(other.request_); }
  bool waits_for(const Request& other) const { return earlier_ == &other; }
  void settle() const { order_->remove(&request_); }
  bool waits() const { return earlier_ != nullptr; }

 private:
  PathOrder* const order_;
  const std::unique_ptr<PathJob> job_;
  Request request_;
  Request* earlier_ = nullptr;
};

std::unique_ptr<PathJob> copy_of(const char* path, const char* target) {
  return std::make_unique<CopyFileJob>(path, target, 0);
}

void copies_of_one_file_go_side_by_side() {
  set_context("copies of one file");
  PathOrder order;
  const Call look(&order, Operation::kStat, std::make_unique<StatJob>("/a"));
  const Call first(&order, Operation::kCopyFile, copy_of("/a", "/b"));
  const Call second(&order, Operation::kCopyFile, copy_of("/a", "/c"));
  const Call later_look(&order, Operation::kStat, std::make_unique<StatJob>("/a"));
  CHECK(!first.waits());
  CHECK(!second.waits());
  CHECK(!later_look.waits());
}

void a_copy_is_waited_for_where_it_counts() {
  set_context("calls behind a copy");
  PathOrder order;
  const Call first(&order, Operation::kCopyFile, copy_of("/a", "/b"));
  const Call of_the_copy(&order, Operation::kCopyFile, copy_of("/b", "/c"));
  const Call look(&order, Operation::kStat, std::make_unique<StatJob>("/b"));
  const Call over_the_source(&order, Operation::kCopyFile, copy_of("/d", "/a"));
  const Call removal(&order, Operation::kChangePath, std::make_unique<UnlinkJob>("/a"));
  CHECK(of_the_copy.waits_for(first));
  CHECK(look.waits_for(of_the_copy) || look.waits_for(first));
  CHECK(over_the_source.waits_for(first));
  CHECK(removal.waits_for(over_the_source));
}

// One tick makes a folder, many in it and a file in the first of them. Red when calls are forgotten once
// there are many.
void none_of_many_calls_is_forgotten() {
  set_context("many calls");
  PathOrder order;
  const Call folder(&order, Operation::kChangePath, std::make_unique<UnlinkJob>("/p"));
  std::vector<std::unique_ptr<Call>> below;
  for (int i = 0; i < 100; ++i) {
    const std::string path = "/p/" + std::to_string(i);
    below.push_back(
        std::make_unique<Call>(&order, Operation::kChangePath, std::make_unique<UnlinkJob>(path)));
    CHECK(below.back()->waits_for(folder));
    // Not the others, whose names begin alike.
    const Call other(&order, Operation::kStat, std::make_unique<StatJob>("/p2/" + std::to_string(i)));
    CHECK(!other.waits());
  }
  for (int i = 0; i < 100; ++i) {
    const Call look(&order, Operation::kStat, std::make_unique<StatJob>("/p/" + std::to_string(i) + "/f"));
    CHECK(look.waits_for(*below[static_cast<size_t>(i)]));
  }
  const Call copy(&order, Operation::kCopyFile, copy_of("/p/40/f", "/q"));
  CHECK(copy.waits_for(*below[40]));
  const Call second_copy(&order, Operation::kCopyFile, copy_of("/p/40/f", "/r"));
  CHECK(second_copy.waits_for(*below[40]));  // and not for the first
  const Call of_source(&order, Operation::kChangePath, std::make_unique<UnlinkJob>("/p/40/f"));
  CHECK(of_source.waits_for(second_copy));
  const Call of_target(&order, Operation::kStat, std::make_unique<StatJob>("/q"));
  CHECK(of_target.waits_for(copy));
  const Call of_all(&order, Operation::kChangePath, std::make_unique<UnlinkJob>("/p"));
  CHECK(of_all.waits_for(of_source));
  below[40]->settle();
  below[41]->settle();
  const Call later(&order, Operation::kStat, std::make_unique<StatJob>("/p/41/f"));
  CHECK(later.waits_for(of_all));
}

// The names in a folder change with what is right below it.
void a_list_waits_for_the_names_among_many() {
  set_context("many calls and lists of names");
  PathOrder order;
  std::vector<std::unique_ptr<Call>> many;
  for (int i = 0; i < 50; ++i) {
    const std::string path = "/a/" + std::to_string(i) + "/b";
    many.push_back(std::make_unique<Call>(&order, Operation::kChangePath, std::make_unique<UnlinkJob>(path)));
  }
  const Call far(&order, Operation::kReadDirectory, std::make_unique<StatJob>("/a"));
  const Call near(&order, Operation::kReadDirectory, std::make_unique<StatJob>("/a/30"));
  CHECK(!far.waits());
  CHECK(near.waits_for(*many[30]));
  // What is one system call holds back later ticks, too; and a relative path is another one.
  order.start_turn();
  const Call next_tick(&order, Operation::kStat, std::make_unique<StatJob>("/a/49/b"));
  const Call relative(&order, Operation::kStat, std::make_unique<StatJob>("a/49/b"));
  CHECK(next_tick.waits_for(*many[49]));
  CHECK(!relative.waits());
  const Call root(&order, Operation::kChangePath, std::make_unique<UnlinkJob>("/"));
  CHECK(root.waits_for(*many[49]));
  const Call below_root(&order, Operation::kStat, std::make_unique<StatJob>("/z"));
  CHECK(below_root.waits_for(root));
}

// Two watchers look, and writes to two files are under way. Red when the end of the latest makes the others
// forgotten.
void all_that_is_under_way_is_waited_for() {
  set_context("several first looks and writes");
  PathOrder order;
  const Call first_look(&order, Operation::kFirstLook, std::make_unique<FirstLookJob>("/a"));
  const Call second_look(&order, Operation::kFirstLook, std::make_unique<FirstLookJob>("/b"));
  second_look.settle();
  const Call removal(&order, Operation::kChangePath, std::make_unique<UnlinkJob>("/a"));
  CHECK(removal.waits_for(first_look));
  first_look.settle();
  removal.settle();

  Request writes[100];
  for (Request& write : writes) {
    write.operation = Operation::kWrite;
    order.add_change(&write);
  }
  order.remove(&writes[99]);
  order.remove(&writes[40]);
  CHECK(order.has_change());
  const auto latest = [&] {
    const Call look(&order, Operation::kStat, std::make_unique<StatJob>("/log"));
    for (size_t i = 0; i < 100; ++i) {
      if (look.waits_for(writes[i])) return static_cast<int>(i);
    }
    return -1;
  };
  CHECK_EQ(latest(), 98);
  for (size_t i = 1; i < 99; ++i) order.remove(&writes[i]);
  CHECK_EQ(latest(), 0);
  order.start_turn();
  CHECK(!order.has_change());
  CHECK_EQ(latest(), -1);
  order.remove(&writes[0]);
}

}  // namespace

int main() {
  all_that_is_under_way_is_waited_for();
  none_of_many_calls_is_forgotten();
  a_list_waits_for_the_names_among_many();
  copies_of_one_file_go_side_by_side();
  a_copy_is_waited_for_where_it_counts();
  return 0;
}
