// Registration of the addon: one Environment per JavaScript thread, shared by every copy of the JavaScript
// that loads it.

#include <node_api.h>

#include "binding/environment.h"

NAPI_MODULE_INIT() {
  if (napi_value shared = ioengine::Environment::exports_of_thread(env)) return shared;
  // An object of the thread's main context: what is passed in may belong to one that is thrown away, with the
  // JavaScript in it.
  napi_value object;
  if (napi_create_object(env, &object) != napi_ok) return exports;
  return ioengine::define_entry_points(ioengine::Environment::create(env, object), object);
}
