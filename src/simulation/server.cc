#include "simulation/server.h"

#include <thread>

namespace concertina::simulation {
namespace {

/// The system wakes a thread about this much later than it was asked to; the rest is waited for awake.
constexpr Time kWakeUp = std::chrono::microseconds(100);

}  // namespace

Time SimulatedServer::end_of(int subnet, std::size_t request, Time start) const {
  const latency::TimeQuantiles& times = sizes_[subnet].times;
  return contention_.finish(start, from_ms(times.at(random_.uniform(request))));
}

Status SimulatedServer::run(int subnet, std::size_t request) {
  clock_.set(end_of(subnet, request, clock_.now()));
  return {};
}

ModelServer::ModelServer(Session session, int batch, std::vector<float> images)
    : session_(std::move(session)),
      batch_(batch),
      images_(std::move(images)),
      logits_(static_cast<std::size_t>(batch) * session_.model().output_size()) {}

void ModelServer::wait_until(Time time) {
  const Time left = time - clock_.now();
  if (left > 2 * kWakeUp) std::this_thread::sleep_for(left - kWakeUp);
  while (clock_.now() < time) {
  }
}

Status ModelServer::run(int subnet, std::size_t request) {
  const std::size_t size = static_cast<std::size_t>(batch_) * session_.model().input_size();
  const std::size_t batches = images_.size() / size;
  return session_.run(std::span(images_).subspan(request % batches * size, size), batch_, subnet, logits_);
}

}  // namespace concertina::simulation
