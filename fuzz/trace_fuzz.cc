// Any bytes as an arrival trace. What is accepted must be ascending and stay so when it is scaled.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "simulation/trace.h"

using namespace concertina;
using namespace concertina::simulation;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto trace = simulation::parse_trace({reinterpret_cast<const char*>(data), size});
  if (!trace) return 0;
  require(!trace->empty() && trace->front() >= Time(0) && std::is_sorted(trace->begin(), trace->end()));
  const auto scaled =
      simulation::scale_to_rate(simulation::window(*trace, trace->size() / 2, trace->size()), 100);
  if (!scaled) return 0;
  require(scaled->front() == Time(0) && std::is_sorted(scaled->begin(), scaled->end()));
  require(std::abs(simulation::mean_rate(*scaled) - 100) < 0.01);
  return 0;
}
