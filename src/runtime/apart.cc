#include "runtime/apart.h"

#include <cstddef>

namespace concertina::runtime {
namespace {

// Smaller maps stay in the caches for several images.
constexpr std::int64_t kLargeMaps = 384 * 1024;

}  // namespace

int steps_apart(std::span<const Traffic> steps) {
  std::int64_t saved = 0, most = 0;
  int apart = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    saved += (steps[i].maps >= kLargeMaps ? steps[i].maps : 0) - steps[i].weights;
    if (saved <= most) continue;
    most = saved;
    apart = static_cast<int>(i) + 1;
  }
  return apart;
}

}  // namespace concertina::runtime
