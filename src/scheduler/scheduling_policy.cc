#include "scheduler/scheduling_policy.h"

#include <algorithm>

namespace concertina::scheduler {

bool runnable(std::span<const Job> queue, std::size_t job) {
  return queue[job].begun() || std::none_of(queue.begin(), queue.end(), [&](const Job& other) {
           return other.begun() && other.model == queue[job].model;
         });
}

}  // namespace concertina::scheduler
