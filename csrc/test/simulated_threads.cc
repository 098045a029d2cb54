#include "test/simulated_threads.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <time.h>

#include <cerrno>
#include <vector>

#include "backend/mock/random.h"
#include "base/semaphore.h"
#include "faults/fault_plan.h"
#include "test/check.h"

// The linker's names (ld --wrap).
extern "C" {
int __real_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                          void* argument);
int __real_pthread_join(pthread_t thread, void** result);
int __real_pthread_mutex_lock(pthread_mutex_t* mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t* mutex);
void __real_ioengine_futex(uint32_t* word, int operation, uint32_t value, const timespec* timeout);
int __real_sem_wait(sem_t* semaphore);
int __real_sem_post(sem_t* semaphore);
int __real_poll(pollfd* files, nfds_t count, int timeout_ms);
int __real_sched_getaffinity(pid_t process, size_t size, cpu_set_t* processors);
int __real_clock_gettime(clockid_t clock, timespec* time);
}

namespace ioengine::test {
namespace {

struct Thread {
  sem_t turn;
  pthread_t handle = {};
  void* (*body)(void*) = nullptr;
  void* argument = nullptr;
  std::function<bool()> can_go_on;  // empty: it can
  bool has_ended = false;
};

struct State {
  explicit State(uint64_t seed) : random(seed) {}
  Random random;
  std::function<void()> device;
  std::vector<Thread*> threads;  // the one that made the simulation first
  uint64_t time_ns = 1000000000;
  uint64_t digest = 0;
  uint64_t switches = 0;
};

State* state = nullptr;
thread_local Thread* self = nullptr;

bool is_simulated() { return state != nullptr && self != nullptr; }

void mix(uint64_t value) { state->digest = (state->digest ^ value) * 0x100000001b3u + (state->digest >> 29); }

bool can_run(const Thread* thread) {
  return !thread->has_ended && (!thread->can_go_on || thread->can_go_on());
}

// The next one, which may be the caller.
Thread* choose() {
  constexpr int kTicks = 200;  // longer than any operation takes
  constexpr uint64_t kTick_ns = 100 * 1000;
  for (int tick = 0;; ++tick) {
    std::vector<Thread*> able;
    for (Thread* thread : state->threads) {
      if (can_run(thread)) able.push_back(thread);
    }
    if (!able.empty()) return able[state->random.below(able.size())];
    if (tick == kTicks) fail(__FILE__, __LINE__, "no thread can run: a wake-up was lost");
    state->device();
    state->time_ns += kTick_ns;  // for waits that end by the clock; none that is longer hides a lost wake-up
  }
}

// Runs somebody until this thread's turn comes again.
void give_way() {
  Thread* const next = choose();
  ++state->switches;
  for (size_t i = 0; i < state->threads.size(); ++i) {
    if (state->threads[i] == next) mix(i + 1);
  }
  if (next == self) return;
  Thread* const here = self;
  __real_sem_post(&next->turn);
  if (here->has_ended) return;
  while (__real_sem_wait(&here->turn) != 0) {
  }
}

// A place where another thread may come in between.
void may_give_way() {
  constexpr uint32_t kSwitchPermille = 200;
  constexpr uint32_t kDevicePermille = 30;
  if (!is_simulated()) return;
  if (self == state->threads[0] && state->random.chance(kDevicePermille)) state->device();
  if (state->random.chance(kSwitchPermille)) give_way();
}

void wait_until(std::function<bool()> can_go_on) {
  self->can_go_on = std::move(can_go_on);
  give_way();
  self->can_go_on = nullptr;
}

void* run_thread(void* argument) {
  self = static_cast<Thread*>(argument);
  faults::mark_this_thread();
  while (__real_sem_wait(&self->turn) != 0) {
  }
  self->body(self->argument);
  self->has_ended = true;
  give_way();
  return nullptr;
}

}  // namespace

Simulation::Simulation(uint64_t seed, std::function<void()> device) {
  CHECK(state == nullptr);
  state = new State(seed);
  state->device = std::move(device);
  self = new Thread();
  sem_init(&self->turn, 0, 0);
  state->threads.push_back(self);
  faults::set_call_hook(may_give_way);
}

Simulation::~Simulation() {
  faults::set_call_hook(nullptr);
  for (size_t i = 1; i < state->threads.size(); ++i) CHECK(state->threads[i]->has_ended);
  for (Thread* thread : state->threads) {
    sem_destroy(&thread->turn);
    delete thread;
  }
  self = nullptr;
  delete state;
  state = nullptr;
}

uint64_t Simulation::digest() const { return state->digest; }
uint64_t Simulation::switches() const { return state->switches; }
void Simulation::note(uint64_t value) { mix(value); }

}  // namespace ioengine::test

using namespace ioengine::test;

extern "C" {

int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                          void* argument) {
  if (!is_simulated()) return __real_pthread_create(thread, attributes, body, argument);
  auto* added = new Thread();
  sem_init(&added->turn, 0, 0);
  added->body = body;
  added->argument = argument;
  const int status = __real_pthread_create(&added->handle, attributes, run_thread, added);
  if (status != 0) {
    delete added;
    return status;
  }
  *thread = added->handle;
  state->threads.push_back(added);
  return 0;
}

int __wrap_pthread_join(pthread_t thread, void** result) {
  if (is_simulated()) {
    for (const Thread* other : state->threads) {
      if (other != state->threads[0] && pthread_equal(other->handle, thread) != 0 && !other->has_ended) {
        wait_until([other] { return other->has_ended; });
      }
    }
  }
  return __real_pthread_join(thread, result);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t* mutex) {
  if (!is_simulated()) return __real_pthread_mutex_lock(mutex);
  may_give_way();
  while (pthread_mutex_trylock(mutex) != 0) {
    wait_until([mutex] {
      if (pthread_mutex_trylock(mutex) != 0) return false;
      __real_pthread_mutex_unlock(mutex);
      return true;
    });
  }
  return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t* mutex) {
  const int status = __real_pthread_mutex_unlock(mutex);
  may_give_way();
  return status;
}

int __wrap_sem_wait(sem_t* semaphore) {
  if (!is_simulated()) return __real_sem_wait(semaphore);
  may_give_way();
  while (sem_trywait(semaphore) != 0) {
    wait_until([semaphore] {
      int value = 0;
      return sem_getvalue(semaphore, &value) == 0 && value > 0;
    });
  }
  return 0;
}

// A wait ends with its time, too, which only the device lets pass.
void __wrap_ioengine_futex(uint32_t* word, int operation, uint32_t value, const timespec* timeout) {
  if (!is_simulated()) return __real_ioengine_futex(word, operation, value, timeout);
  may_give_way();
  if (operation != FUTEX_WAIT_PRIVATE) return;
  const uint64_t most_ns =
      static_cast<uint64_t>(timeout->tv_sec) * 1000000000u + static_cast<uint64_t>(timeout->tv_nsec);
  const uint64_t end_ns = state->time_ns + most_ns;
  wait_until([=] { return __atomic_load_n(word, __ATOMIC_SEQ_CST) != value || state->time_ns >= end_ns; });
}

int __wrap_sem_post(sem_t* semaphore) {
  const int status = __real_sem_post(semaphore);
  may_give_way();
  return status;
}

// The time limit does not come: what sleeps is woken up.
int __wrap_poll(pollfd* files, nfds_t count, int timeout_ms) {
  if (!is_simulated() || timeout_ms == 0) return __real_poll(files, count, timeout_ms);
  wait_until([=] { return __real_poll(files, count, 0) > 0; });
  return __real_poll(files, count, 0);
}

// On one processor nobody waits without sleeping.
int __wrap_sched_getaffinity(pid_t process, size_t size, cpu_set_t* processors) {
  if (!is_simulated()) return __real_sched_getaffinity(process, size, processors);
  CPU_ZERO_S(size, processors);
  CPU_SET_S(0, size, processors);
  return 0;
}

int __wrap_clock_gettime(clockid_t clock, timespec* time) {
  constexpr uint64_t kSecond = 1000000000;
  if (!is_simulated() || clock != CLOCK_MONOTONIC) return __real_clock_gettime(clock, time);
  state->time_ns += 500;
  time->tv_sec = static_cast<time_t>(state->time_ns / kSecond);
  time->tv_nsec = static_cast<long>(state->time_ns % kSecond);
  return 0;
}

}  // extern "C"
