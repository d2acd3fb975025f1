#pragma once

#include <cstdint>

#include "train/recipe.h"

namespace concertina::train {

/// Learning rate of step `step` (0 .. total-1), as a factor of the peak.
///   one_cycle: linear from 1/25 to 1 over the first 30 % of the steps, then half a cosine down to 1/10000
///              (Smith and Topin 2019).
///   linear:    from 1 straight down to 0.
///   cosine:    half a cosine from 1 down to 0 (Loshchilov and Hutter 2017).
double schedule_factor(Schedule schedule, std::int64_t step, std::int64_t total);

}  // namespace concertina::train
