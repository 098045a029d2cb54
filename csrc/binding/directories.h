// The directories that this thread has open (opendir), by the numbers under which JavaScript knows them.
#pragma once

#include <climits>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "jobs/directory_stream.h"

namespace ioengine {

// What is left at the end of the thread is closed then.
class Directories {
 public:
  int32_t add(std::shared_ptr<DirectoryStream> stream) {
    do {
      last_ = last_ == INT32_MAX ? 0 : last_ + 1;
    } while (streams_.count(last_) != 0);
    streams_.emplace(last_, std::move(stream));
    return last_;
  }
  // Null for a number that stands for none.
  std::shared_ptr<DirectoryStream> find(int32_t number) const {
    const auto found = streams_.find(number);
    return found != streams_.end() ? found->second : nullptr;
  }
  std::shared_ptr<DirectoryStream> take(int32_t number) {
    std::shared_ptr<DirectoryStream> stream = find(number);
    streams_.erase(number);
    return stream;
  }

 private:
  std::unordered_map<int32_t, std::shared_ptr<DirectoryStream>> streams_;
  int32_t last_ = 0;
};

}  // namespace ioengine
