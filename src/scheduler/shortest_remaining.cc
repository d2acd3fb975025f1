#include "scheduler/shortest_remaining.h"

namespace concertina::scheduler {

ShortestRemaining::ShortestRemaining(std::vector<ModelCost> models)
    : models_(std::move(models)), monitor_(models_) {}

Action ShortestRemaining::choose(const Situation& situation) {
  return run_on(situation.queue, least_runnable(situation.queue, [&](const Job& job) {
                  const SizeCost& full = models_[job.model].sizes.front();
                  return monitor_.corrected(job.model, full.left[job.done]);
                }));
}

}  // namespace concertina::scheduler
