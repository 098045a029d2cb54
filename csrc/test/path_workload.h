// Calls on paths, several on one file or folder in a tick: they take effect in the order of the calls, so the
// result of each is known when it is made.
#pragma once

#include <map>
#include <string>

#include "backend/mock/random.h"
#include "test/engine.h"

namespace ioengine::test {

class PathWorkload {
 public:
  // In a new folder below the temporary one.
  PathWorkload(Engine* engine, uint64_t seed);
  ~PathWorkload();

  // A few calls on a name that none is outstanding for.
  void step();
  // The files are what they should be. After the end of the engine only names without a cancelled call.
  void compare();
  void die() { dying_ = true; }

 private:
  static constexpr uint32_t kNames = 5;
  struct Name {
    bool is_there = false;
    std::string content;
    uint32_t outstanding = 0;
    bool unknown = false;  // a call was cancelled
  };

  std::string path_of(uint32_t name) const;
  void expect(uint32_t name, Operation operation, std::unique_ptr<PathJob> job, int32_t result,
              const std::string* content = nullptr);
  void write(uint32_t name);
  void read(uint32_t name);
  void unlink(uint32_t name);
  void rename(uint32_t name, uint32_t target);

  Engine& engine_;
  Random random_;
  std::string folder_;
  Name names_[kNames];
  bool dying_ = false;
};

}  // namespace ioengine::test
