#pragma once

#include "runtime/step_context.h"

namespace concertina::runtime {

/// The steps of an operation; none if all that it reads already lies where it belongs. An op's are made by
/// the overload of steps_of() that takes it, here, in plan_conv.h or in plan_moves.h.
std::vector<Step> make_steps(const StepContext& context);

}  // namespace concertina::runtime
