// Registration of the addon: one Environment per JavaScript thread that loads it.

#include <node_api.h>

#include "binding/environment.h"

NAPI_MODULE_INIT() { return ioengine::define_entry_points(ioengine::Environment::create(env), exports); }
