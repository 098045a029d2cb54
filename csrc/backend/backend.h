// The contract between the scheduler and whatever moves the bytes. One backend instance belongs to one
// JavaScript thread; every method is called on that thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "backend/request.h"

namespace ioengine {

// What this instance can do on this kernel, probed at creation (never derived from a version number).
struct Capabilities {
  uint32_t operations = 0;       // bit per Operation
  uint32_t depth = 0;            // requests it takes at once
  bool buffered_reads = false;   // takes cold buffered reads without blocking in submit()
  bool buffered_writes = false;  // the same for buffered and for extending writes
  bool serves_at_submit =
      false;  // cached reads complete inside submit(), in a batch: cheaper than one call each
  bool single_issuer = false;  // uring: IORING_SETUP_SINGLE_ISSUER | DEFER_TASKRUN accepted

  bool serves(Operation operation) const { return (operations >> static_cast<unsigned>(operation)) & 1u; }
  void add(Operation operation) { operations |= 1u << static_cast<unsigned>(operation); }
};

class IoBackend {
 public:
  // Requires in_flight() == 0: the kernel may write into a buffer long after a ring is closed (H1), so the
  // owner reaps to zero first.
  virtual ~IoBackend() = default;

  virtual BackendType type() const = 0;
  virtual const Capabilities& capabilities() const = 0;

  // Takes requests[0..count) in order and returns how many it took. Those it did not take stay with the
  // caller, who offers them again after the next reap(); that is backpressure, not an error. A request that
  // the kernel refuses on its own (EBADF, EINVAL) counts as taken and comes back through reap(). Does not
  // wait for a device.
  virtual size_t submit(Request* const* requests, size_t count) = 0;

  // Hands out up to `capacity` completions; each taken request comes back exactly once. Pushes what an
  // earlier submit() could not hand to the kernel. Never waits.
  virtual size_t reap(Completion* into, size_t capacity) = 0;

  // The kernel no longer takes anything, for good (a late seccomp filter, for one). What it has comes back
  // through reap() once it has let go of it: with its result, with ECANCELED where it can be done again, or
  // with EIO. The owner submits nothing more.
  virtual bool given_up() const { return false; }

  // Nothing has been made yet, and nothing may be submitted: DeferredBackend::make() gives the real one.
  virtual bool is_deferred() const { return false; }

  // Requests taken and not yet reaped.
  virtual size_t in_flight() const = 0;

  // The eventfd given at creation becomes readable on a completion after arm_wake(), until disarm_wake().
  // Returns true when completions may be there already: look again before sleeping, a completion that came
  // before arming wakes nobody. Backends that cannot switch the wake-up off ignore disarm_wake().
  virtual bool arm_wake() = 0;
  virtual void disarm_wake() = 0;

  // Why it is this one, for backend().reason.
  std::string reason;
};

// A backend, or the reason why there is none: `error_number` (errno of the failing step) and texts for
// people.
struct BackendResult {
  std::unique_ptr<IoBackend> backend;
  int error_number = 0;
  std::string cause;
  std::string fix;
};

}  // namespace ioengine
