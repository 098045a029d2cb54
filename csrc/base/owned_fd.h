// A descriptor that is closed with its owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace ioengine {

class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~OwnedFd() { close(); }

  int get() const { return fd_; }
  bool is_open() const { return fd_ != -1; }
  // The descriptor, which is the caller's from now on, or -1.
  int release() { return std::exchange(fd_, -1); }
  // False: close(2) has failed.
  bool close() { return fd_ == -1 || ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_ = -1;
};

}  // namespace ioengine
