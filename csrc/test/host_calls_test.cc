// Calls that node:fs serves: what they hold back waits for their end, and for no longer, also where their end
// never comes because the thread waits or ends.
#include <unistd.h>

#include <cerrno>

#include "test/check.h"
#include "test/engine.h"

using namespace ioengine;
using namespace ioengine::test;

namespace {

MockOptions in_order() {
  MockOptions options;
  options.reorder = false;
  options.delay_rounds_max = 0;
  return options;
}

void reads_of_the_file_wait_for_the_end() {
  set_context("a read behind a call of node's");
  Engine engine(in_order());
  const int fd = engine.create(1000, 1000);
  GuardedBuffer buffer(100);
  const int32_t turn = engine->begin_host_call(fd, 0);
  CHECK(turn > 0);
  const auto read = engine.read(fd, buffer.data(), 100, 0);
  for (int i = 0; i < 5; ++i) engine.turn();
  CHECK(!read->settled);
  engine->end_host_call(turn);
  engine.until_idle();
  CHECK_EQ(read->result, 100);
  engine->end_host_call(turn);  // over already
  close(fd);
}

void a_thread_that_waits_does_not_wait_for_javascript() {
  set_context("closeSync beside a call of node's");
  Engine engine(in_order());
  const int fd = engine.create(1000, 1000);
  GuardedBuffer buffer(100);
  const int32_t turn = engine->begin_host_call(fd, 0);
  const auto read = engine.read(fd, buffer.data(), 100, 0);
  engine->settle_descriptor(fd);
  engine.deliver();
  CHECK_EQ(read->result, 100);
  engine->end_host_call(turn);
  CHECK(!engine->has_undelivered());
  close(fd);
}

void the_end_of_the_engine_ends_them() {
  set_context("the end of the engine beside a call of node's");
  Engine engine(in_order());
  const int fd = engine.create(1000, 1000);
  GuardedBuffer buffer(100);
  engine->begin_host_call(fd, 0);
  const auto read = engine.read(fd, buffer.data(), 100, 0);
  engine.end();
  CHECK(read->settled);
  buffer.check_canaries();
  close(fd);
}

}  // namespace

int main() {
  reads_of_the_file_wait_for_the_end();
  a_thread_that_waits_does_not_wait_for_javascript();
  the_end_of_the_engine_ends_them();
  return 0;
}
