// Times as JavaScript gives them, in seconds.
#pragma once

#include <ctime>

namespace ioengine {

// What libuv gives the kernel for these seconds: up to 1.51 whole microseconds, since 1.52 nanoseconds.
inline timespec to_timespec(double seconds, bool in_microseconds) {
  timespec time;
  time.tv_sec = static_cast<time_t>(seconds);
  time.tv_nsec = static_cast<long>((seconds - static_cast<double>(time.tv_sec)) * 1e9);
  if (in_microseconds) time.tv_nsec -= time.tv_nsec % 1000;
  if (time.tv_nsec < 0) {
    time.tv_nsec += 1'000'000'000;
    time.tv_sec -= 1;
  }
  return time;
}

// For utimensat(2) and futimens(3): of the last access and of the last change.
struct FileTimes {
  FileTimes(double accessed, double modified, bool in_microseconds)
      : values{to_timespec(accessed, in_microseconds), to_timespec(modified, in_microseconds)} {}
  timespec values[2];
};

}  // namespace ioengine
