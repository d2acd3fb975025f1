#pragma once

#include "train/run.h"
#include "train/training_loop.h"

namespace concertina::train {

/// Steps in so many passes over the training images.
std::int64_t steps_of_epochs(const Run& run, int epochs);

/// The loop of a stage that trains: its files, its seed, and what the recipe says for all of them.
TrainingLoop training_loop(const Run& run, recipe::Stage stage, recipe::Schedule schedule,
                           std::int64_t steps);

}  // namespace concertina::train
