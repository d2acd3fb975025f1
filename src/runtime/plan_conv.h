#pragma once

#include "runtime/step_context.h"

/// The steps of convolutions and linear layers.
namespace concertina::runtime {

std::vector<Step> steps_of(const op::Conv& conv, const StepContext& context);
std::vector<Step> steps_of(const op::Linear& linear, const StepContext& context);

}  // namespace concertina::runtime
