#include "simulation/simulated_server.h"

namespace concertina::simulation {

Time SimulatedServer::end_of(int subnet, std::size_t request, Time start) const {
  const latency::TimeQuantiles& times = sizes_[subnet].times;
  return contention_.finish(start, from_ms(times.at(random_.uniform(request))));
}

Status SimulatedServer::run(int subnet, std::size_t request) {
  clock_.set(end_of(subnet, request, clock_.now()));
  return {};
}

}  // namespace concertina::simulation
