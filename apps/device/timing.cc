#include "device/timing.h"

#include <algorithm>
#include <chrono>

#include "base/try.h"

namespace concertina::apps {

Result<std::vector<double>> time_runs(Session& session, int subnet, int batch, int warm_up, int runs) {
  const Model& model = session.model();
  const auto n = static_cast<std::size_t>(batch);
  const std::vector<float> images(n * model.image().size());
  std::vector<float> logits(n * model.classes().size());
  std::vector<double> milliseconds;
  for (int i = -warm_up; i < runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    CONCERTINA_TRY(session.run(images, batch, subnet, logits));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (i >= 0) milliseconds.push_back(took.count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  return milliseconds;
}

double quantile(const std::vector<double>& sorted, double q) {
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5)];
}

}  // namespace concertina::apps
