#include "control/scheduler/shortest_remaining.h"

namespace concertina::control {

ShortestRemaining::ShortestRemaining(std::vector<ModelCost> models)
    : models_(std::move(models)), monitor_(models_) {}

Action ShortestRemaining::choose(const Situation& situation) {
  return run_on(situation.queue, least_runnable(situation.queue, [&](const Job& job) {
                  const SizeCost& full = models_[static_cast<std::size_t>(job.model)].sizes.front();
                  return monitor_.corrected(job.model, full.left[static_cast<std::size_t>(job.done)]);
                }));
}

}  // namespace concertina::control
