// Which calls on paths wait for which: copies of one file do not wait for each other, and what changes a file
// waits for those that read it.
#include "scheduler/path_order.h"

#include <memory>
#include <utility>

#include "jobs/copy_one_file.h"
#include "jobs/path_syscalls.h"
#include "jobs/stat_path.h"
#include "test/check.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

class Call {
 public:
  Call(PathOrder* order, Operation operation, std::unique_ptr<PathJob> job) : job_(std::move(job)) {
    request_.operation = operation;
    request_.job = job_.get();
    order->add(&request_);
    earlier_ = order->find_earlier(&request_);
  }
  bool waits_for(const Call& other) const { return earlier_ == &other.request_; }
  bool waits() const { return earlier_ != nullptr; }

 private:
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

}  // namespace

int main() {
  copies_of_one_file_go_side_by_side();
  a_copy_is_waited_for_where_it_counts();
  return 0;
}
