#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "base/try.h"
#include "capi/deadline.h"
#include "capi/handles.h"
#include "capi/outcome.h"
#include "capi/structs.h"
#include "concertina/adaptive_session.h"

namespace concertina::capi {
namespace {

Outcome budget_of(const concertina_budget* given, Budget& budget) {
  concertina_budget wanted;
  RETURN_IF_ERROR(read_struct("budget", given, wanted));
  for (const auto& [name, value] : {std::pair("deadline_ms", wanted.deadline_ms),
                                    {"quantile", wanted.quantile},
                                    {"min_accuracy", wanted.min_accuracy}}) {
    if (std::isnan(value)) return Error{fmt::format("a budget's {} is not a number (NaN); give one", name)};
  }
  budget.deadline = deadline_of(wanted.deadline_ms);
  if (wanted.quantile != 0) budget.quantile = wanted.quantile;
  budget.min_accuracy = wanted.min_accuracy;
  return {};
}

concertina_answer describe(const Answer& answer) {
  return {.struct_size = 0,
          .subnet = answer.subnet,
          .accuracy = answer.accuracy,
          .predicted_ms = answer.predicted_ms,
          .actual_ms = answer.actual_ms,
          .fits = answer.fits,
          .in_time = answer.in_time};
}

}  // namespace
}  // namespace concertina::capi

using namespace concertina::capi;

extern "C" {

concertina_status concertina_adaptive_create(const concertina_model* model,
                                             const concertina_adaptive_options* options,
                                             concertina_adaptive** adaptive, concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"model", model}, {"adaptive", adaptive}}));
    concertina_adaptive_options wanted;
    RETURN_IF_ERROR(read_struct("options", options, wanted));
    concertina::AdaptiveOptions making{.threads = or_one(wanted.threads),
                                       .batch = or_one(wanted.batch),
                                       .latency_table = {},
                                       .other_machine = wanted.other_machine != 0,
                                       .supervise = std::chrono::milliseconds(wanted.supervise_ms)};
    if (wanted.plan != nullptr) making.plan = wanted.plan;
    if (wanted.latency_table != nullptr) making.latency_table = wanted.latency_table;
    ASSIGN_OR_RETURN(auto made, concertina::AdaptiveSession::make(model->model, making));
    *adaptive = new concertina_adaptive{std::move(made)};
    return {};
  });
}

void concertina_adaptive_free(concertina_adaptive* adaptive) {
  delete adaptive;
}

concertina_status concertina_adaptive_run(concertina_adaptive* adaptive, const float* images,
                                          size_t image_floats, const concertina_budget* budget,
                                          float* outputs, size_t output_floats, concertina_answer* answer,
                                          concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(
        not_null({{"adaptive", adaptive}, {"images", images}, {"budget", budget}, {"outputs", outputs}}));
    if (answer != nullptr) RETURN_IF_ERROR(check_size("answer", *answer));
    concertina::Budget wanted;
    RETURN_IF_ERROR(budget_of(budget, wanted));
    ASSIGN_OR_RETURN(const auto ran,
                     adaptive->session.run({images, image_floats}, wanted, {outputs, output_floats}));
    if (answer != nullptr) write_struct(describe(ran), answer);
    return {};
  });
}

concertina_status concertina_adaptive_select(concertina_adaptive* adaptive, int32_t subnet,
                                             concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"adaptive", adaptive}}));
    RETURN_IF_ERROR(
        adaptive->session.select(subnet == CONCERTINA_BY_BUDGET ? std::nullopt : std::optional<int>(subnet)));
    return {};
  });
}

concertina_status concertina_adaptive_allow_from(concertina_adaptive* adaptive, int32_t subnet,
                                                 concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"adaptive", adaptive}}));
    RETURN_IF_ERROR(in_range("sub-net", subnet, adaptive->session.model().subnets().size()));
    adaptive->session.allow_from(subnet);
    return {};
  });
}

concertina_status concertina_adaptive_machine(const concertina_adaptive* adaptive,
                                              concertina_machine* machine, concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"adaptive", adaptive}, {"machine", machine}}));
    RETURN_IF_ERROR(check_size("machine", *machine));
    const concertina::MachineCondition now = adaptive->session.machine();
    write_struct(concertina_machine{.struct_size = 0,
                                    .state = static_cast<int32_t>(now.state),
                                    .reserved = 0,
                                    .slow_down = now.slow_down},
                 machine);
    return {};
  });
}

}  // extern "C"
