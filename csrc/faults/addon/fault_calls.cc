// The faults as JavaScript sets them, and what the engine holds, for a test to see that it gives it back.
#include <node_api.h>

#include "binding/environment.h"
#include "faults/fault_plan.h"
#include "memory/aligned_block.h"

namespace ioengine {
namespace {

using faults::Site;

double number_at(napi_env env, napi_value list, uint32_t index) {
  napi_value value;
  double number = 0;
  napi_get_element(env, list, index, &value);
  napi_get_value_double(env, value, &number);
  return number;
}

napi_value list_of(napi_env env, size_t count, double (*figure)(size_t)) {
  napi_value list, value;
  napi_create_array_with_length(env, count, &list);
  for (size_t i = 0; i < count; ++i) {
    napi_create_double(env, figure(i), &value);
    napi_set_element(env, list, static_cast<uint32_t>(i), value);
  }
  return list;
}

// armFault([site, kind, value, first, times])
napi_value arm_fault(napi_env env, napi_callback_info info) {
  napi_value list;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &list, nullptr, nullptr);
  faults::Fault fault;
  fault.site = static_cast<Site>(number_at(env, list, 0));
  fault.kind = static_cast<faults::Kind>(number_at(env, list, 1));
  fault.value = static_cast<int32_t>(number_at(env, list, 2));
  fault.first = static_cast<uint64_t>(number_at(env, list, 3));
  fault.times = static_cast<uint64_t>(number_at(env, list, 4));
  faults::arm(fault);
  return nullptr;
}

// failAlways([site, errno])
napi_value fail_always(napi_env env, napi_callback_info info) {
  napi_value list;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &list, nullptr, nullptr);
  faults::fail_always(static_cast<Site>(number_at(env, list, 0)),
                      static_cast<int32_t>(number_at(env, list, 1)));
  return nullptr;
}

// disarmFault(): how often it has happened.
napi_value disarm_fault(napi_env env, napi_callback_info) {
  napi_value happened;
  faults::disarm();
  napi_create_double(env, static_cast<double>(faults::happened()), &happened);
  return happened;
}

napi_value fault_sites(napi_env env, napi_callback_info) {
  napi_value list, name;
  napi_create_array(env, &list);
  for (size_t i = 0; i < faults::kSiteCount; ++i) {
    napi_create_string_utf8(env, faults::name_of(static_cast<Site>(i)), NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, list, static_cast<uint32_t>(i), name);
  }
  return list;
}

// How often each site has been reached since the last armFault().
napi_value fault_counts(napi_env env, napi_callback_info) {
  return list_of(env, faults::kSiteCount,
                 [](size_t i) { return static_cast<double>(faults::count_of(static_cast<Site>(i))); });
}

// heldByEngine(): [requests, accepted and not settled, with a lane, bytes of aligned blocks in use]
napi_value held_by_engine(napi_env env, napi_callback_info) {
  Environment* environment = nullptr;
  napi_get_instance_data(env, reinterpret_cast<void**>(&environment));
  static IoContext* context;
  context = environment->context();
  return list_of(env, 4, [](size_t i) -> double {
    if (i == 3) return static_cast<double>(AlignedBlock::mapped_bytes() - AlignedBlock::kept_bytes());
    if (context == nullptr) return 0;
    if (i == 0) return static_cast<double>(context->requests());
    return static_cast<double>(i == 1 ? context->unsettled() : context->in_flight());
  });
}

}  // namespace

void define_fault_calls(napi_env env, napi_value exports) {
  const struct {
    const char* name;
    napi_callback call;
  } kFunctions[] = {{"armFault", arm_fault},       {"disarmFault", disarm_fault},
                    {"failAlways", fail_always},   {"faultSites", fault_sites},
                    {"faultCounts", fault_counts}, {"heldByEngine", held_by_engine}};
  for (const auto& entry : kFunctions) {
    napi_value function;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.call, nullptr, &function);
    napi_set_named_property(env, exports, entry.name, function);
  }
}

}  // namespace ioengine
