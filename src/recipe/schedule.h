#pragma once

#include "recipe/recipe.h"

namespace concertina::recipe {

/// Learning rate when a share `progress` (0 .. 1) of the training is done, as a factor of the peak.
///   one_cycle: linear from 1/25 to 1 over the first 30 %, then half a cosine down to 1/10000
///              (Smith and Topin 2019).
///   linear:    from 1 straight down to 0.
///   cosine:    half a cosine from 1 down to 0 (Loshchilov and Hutter 2017).
double schedule_factor(Schedule schedule, double progress);

}  // namespace concertina::recipe
