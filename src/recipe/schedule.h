#pragma once

namespace concertina::recipe {

/// Learning rate when a share `progress` (0 .. 1) of a run's training is done, as a factor of the highest:
/// linear from 1/25 to 1 over the first tenth, then linear down to nothing. One schedule for all stages: a
/// learning rate that rose again for joint training would undo what pretraining has reached.
double schedule_factor(double progress);

}  // namespace concertina::recipe
