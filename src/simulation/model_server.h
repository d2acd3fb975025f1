#pragma once

#include <vector>

#include "concertina/session.h"
#include "simulation/serve.h"

namespace concertina::simulation {

/// The real machine and the real runtime.
class ModelServer final : public Server {
 public:
  /// Every run is of `batch` images, taken in turn from `images`, normalised ones one after the other.
  /// Preconditions: at least one batch of them; batch is at most the session's largest.
  ModelServer(Session session, int batch, std::vector<float> images);

  const Clock& clock() const override { return clock_; }
  void wait_until(Time time) override;
  Status run(int subnet, std::size_t request) override;

 private:
  Session session_;
  int batch_;
  std::vector<float> images_;
  std::vector<float> logits_;
  SteadyClock clock_;
};

}  // namespace concertina::simulation
