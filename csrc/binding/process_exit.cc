#include "binding/process_exit.h"

#include <pthread.h>
#include <unistd.h>

#include <cstdlib>

#include "base/check.h"
#include "binding/environment.h"

namespace ioengine {
namespace {

struct Watched {
  Environment* environment;
  pthread_t thread;
  Watched* next;
};

// Nothing here has a destructor: these run at exit(), too, in an order that nobody knows.
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_once_t registered = PTHREAD_ONCE_INIT;
Watched* watched = nullptr;
pid_t process = 0;

// Takes an entry out of the list: of this environment or, where that is null, of any that belongs to the
// thread.
Environment* take(const Environment* wanted) {
  Environment* found = nullptr;
  pthread_mutex_lock(&mutex);
  for (Watched** link = &watched; *link != nullptr; link = &(*link)->next) {
    Watched* entry = *link;
    const bool here = pthread_equal(entry->thread, pthread_self()) != 0;
    if (wanted != nullptr ? entry->environment != wanted : !here) continue;
    found = entry->environment;
    *link = entry->next;
    delete entry;
    break;
  }
  pthread_mutex_unlock(&mutex);
  return found;
}

// The heap of this thread's JavaScript is still there, and with it the memory that is written from. Node has
// ended the Workers by now, each with its cleanup hook; if exit() was called on some other thread, nothing
// can be said of this one's engines. A forked child has our memory, but neither our threads nor our ring.
void at_exit() {
  if (getpid() != process) return;
  while (Environment* environment = take(nullptr)) environment->finish_writes();
}

void register_once() {
  process = getpid();
  IOE_CHECK(atexit(at_exit) == 0);
}

}  // namespace

void watch_exit(Environment* environment) {
  pthread_once(&registered, register_once);
  pthread_mutex_lock(&mutex);
  watched = new Watched{environment, pthread_self(), watched};
  pthread_mutex_unlock(&mutex);
}

void unwatch_exit(Environment* environment) { take(environment); }

}  // namespace ioengine
