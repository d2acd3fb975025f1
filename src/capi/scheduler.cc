#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/try.h"
#include "capi/deadline.h"
#include "capi/handles.h"
#include "capi/outcome.h"
#include "capi/structs.h"

namespace concertina::capi {
namespace {

concertina_scheduled describe(const std::optional<ScheduledAnswer>& left) {
  if (!left) {
    concertina_scheduled none{};
    none.request = CONCERTINA_NO_REQUEST;
    return none;
  }
  return {.struct_size = 0,
          .request = left->request,
          .model = left->model,
          .subnet = left->subnet,
          .accuracy = left->accuracy,
          .actual_ms = left->actual_ms,
          .shed = left->shed,
          .in_time = left->in_time};
}

}  // namespace
}  // namespace concertina::capi

using namespace concertina::capi;

extern "C" {

concertina_status concertina_scheduler_create(const concertina_model* const* models, size_t model_count,
                                              const concertina_scheduler_options* options,
                                              concertina_scheduler** scheduler, concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"models", models}, {"scheduler", scheduler}}));
    concertina_scheduler_options wanted;
    RETURN_IF_ERROR(read_struct("options", options, wanted));
    std::vector<std::shared_ptr<const concertina::Model>> all;
    for (size_t i = 0; i < model_count; ++i) {
      RETURN_IF_ERROR(not_null({{"models[i]", models[i]}}));
      all.push_back(models[i]->model);
    }
    concertina::SchedulerOptions making;
    if (wanted.reserve != 0) making.reserve = std::max(wanted.reserve, 0.0);
    ASSIGN_OR_RETURN(auto made, concertina::Scheduler::make(std::move(all), making));
    *scheduler = new concertina_scheduler{std::move(made)};
    return {};
  });
}

void concertina_scheduler_free(concertina_scheduler* scheduler) {
  delete scheduler;
}

concertina_status concertina_scheduler_submit(concertina_scheduler* scheduler, int32_t model,
                                              const float* image, size_t image_floats, double deadline_ms,
                                              float* outputs, size_t output_floats, int64_t* request,
                                              concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(
        not_null({{"scheduler", scheduler}, {"image", image}, {"outputs", outputs}, {"request", request}}));
    if (std::isnan(deadline_ms)) return concertina::Error{"a deadline cannot be NaN; give milliseconds"};
    ASSIGN_OR_RETURN(*request,
                     scheduler->scheduler.submit(model, {image, image_floats}, deadline_of(deadline_ms),
                                                 {outputs, output_floats}));
    return {};
  });
}

concertina_status concertina_scheduler_advance(concertina_scheduler* scheduler, concertina_scheduled* left,
                                               concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"scheduler", scheduler}, {"left", left}}));
    RETURN_IF_ERROR(check_size("left", *left));
    ASSIGN_OR_RETURN(const auto answer, scheduler->scheduler.advance());
    write_struct(describe(answer), left);
    return {};
  });
}

size_t concertina_scheduler_waiting(const concertina_scheduler* scheduler) {
  return scheduler == nullptr ? 0 : scheduler->scheduler.waiting();
}

}  // extern "C"
