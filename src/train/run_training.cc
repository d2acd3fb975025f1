#include "train/run_training.h"

namespace concertina::train {

std::int64_t steps_of_epochs(const Run& run, int epochs) {
  return epochs * (static_cast<std::int64_t>(run.data().training.size()) / run.recipe().training.batch);
}

TrainingLoop training_loop(const Run& run, recipe::Stage stage, recipe::Schedule schedule,
                           std::int64_t steps) {
  const recipe::Recipe& recipe = run.recipe();
  return {.task = std::string(recipe::stage_name(stage)),
          .checkpoint = run.file(stage, "checkpoint.pt"),
          .log = run.file(stage, "log.jsonl"),
          .steps = steps,
          .batch = recipe.training.batch,
          .schedule = schedule,
          .augmentation = {recipe.data.pad, recipe.data.flip},
          .seed = run.seed(stage)};
}

}  // namespace concertina::train
