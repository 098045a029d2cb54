// Registration of the addon: one Environment per JavaScript thread, shared by every copy of the JavaScript
// that loads it.

#include <node_api.h>

#include "binding/environment.h"

NAPI_MODULE_INIT() {
  if (napi_value shared = ioengine::Environment::exports_of_thread(env)) return shared;
  return ioengine::define_entry_points(ioengine::Environment::create(env, exports), exports);
}
