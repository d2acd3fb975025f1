#include <fmt/format.h>

#include <cmath>

#include "base/try.h"
#include "capi/deadline.h"
#include "capi/handles.h"
#include "capi/outcome.h"
#include "capi/structs.h"

namespace concertina::capi {
namespace {

Outcome budget_of(const concertina_cascade_budget* given, CascadeBudget& budget) {
  if (given == nullptr) return {};
  concertina_cascade_budget wanted;
  RETURN_IF_ERROR(read_struct("budget", given, wanted));
  if (std::isnan(wanted.deadline_ms) || std::isnan(wanted.quantile)) {
    return Error{fmt::format("a budget of {} ms and quantile {} is none; NaN is not allowed",
                             wanted.deadline_ms, wanted.quantile)};
  }
  budget.deadline = deadline_of(wanted.deadline_ms);
  if (wanted.quantile != 0) budget.quantile = wanted.quantile;
  return {};
}

concertina_cascade_answer describe(const CascadeAnswer& answer) {
  return {.struct_size = 0,
          .label = answer.label,
          .subnet = answer.subnet,
          .confidence = answer.confidence,
          .actual_ms = answer.actual_ms,
          .stages = answer.stages,
          .cut_short = answer.cut_short,
          .in_time = answer.in_time,
          .reserved = 0};
}

}  // namespace
}  // namespace concertina::capi

using namespace concertina::capi;

extern "C" {

concertina_status concertina_cascade_create(const concertina_model* model, const char* path,
                                            const concertina_cascade_options* options,
                                            concertina_cascade** cascade, concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"model", model}, {"path", path}, {"cascade", cascade}}));
    concertina_cascade_options wanted;
    RETURN_IF_ERROR(read_struct("options", options, wanted));
    concertina::CascadeOptions making{
        .threads = or_one(wanted.threads), .latency_table = {}, .other_machine = wanted.other_machine != 0};
    if (wanted.latency_table != nullptr) making.latency_table = wanted.latency_table;
    ASSIGN_OR_RETURN(auto made, concertina::CascadeSession::make(model->model, path, making));
    *cascade = new concertina_cascade{std::move(made)};
    return {};
  });
}

void concertina_cascade_free(concertina_cascade* cascade) {
  delete cascade;
}

concertina_status concertina_cascade_run(concertina_cascade* cascade, const float* image, size_t image_floats,
                                         const concertina_cascade_budget* budget, float* scores,
                                         size_t score_floats, concertina_cascade_answer* answer,
                                         concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"cascade", cascade}, {"image", image}, {"answer", answer}}));
    if (score_floats > 0) RETURN_IF_ERROR(not_null({{"scores", scores}}));
    RETURN_IF_ERROR(check_size("answer", *answer));
    concertina::CascadeBudget wanted;
    RETURN_IF_ERROR(budget_of(budget, wanted));
    ASSIGN_OR_RETURN(const auto ran,
                     cascade->session.run({image, image_floats}, wanted, {scores, score_floats}));
    write_struct(describe(ran), answer);
    return {};
  });
}

}  // extern "C"
