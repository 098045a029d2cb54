// What has to be done when the process ends by exit(3): process.exit(), an uncaught exception, an unhandled
// rejection. None of them runs a cleanup hook on the main thread (H7), and an 'exit' listener can be removed
// by any program (process.removeAllListeners()) and runs before those that were registered after it.
#pragma once

namespace ioengine {

class Environment;

// From here until unwatch_exit() exit(3) finishes the writes of this environment, if it is called on this
// thread. To be called on the environment's own thread.
void watch_exit(Environment* environment);
void unwatch_exit(Environment* environment);

}  // namespace ioengine
