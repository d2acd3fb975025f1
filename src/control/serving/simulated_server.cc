#include "control/serving/simulated_server.h"

namespace concertina::control {

Time SimulatedServer::end_of(int subnet, std::size_t request, Time start) const {
  const TimeQuantiles& times = sizes_[static_cast<std::size_t>(subnet)].times;
  return contention_.finish(start, from_ms(times.at(random_.uniform(request))));
}

Status SimulatedServer::run(int subnet, std::size_t request) {
  clock_.set(end_of(subnet, request, clock_.now()));
  return {};
}

}  // namespace concertina::control
