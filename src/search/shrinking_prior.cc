#include "search/shrinking_prior.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/cost.h"

namespace concertina::search {

ShrinkingPrior::ShrinkingPrior(const Graph& graph, const ChannelGroups& groups, double tilt)
    : full_(full_subnet(graph)) {
  const Shape& image = graph.shape(graph.input());
  side_ = std::min(image.height, image.width);
  const Cost whole = cost(graph, full_);
  for (std::size_t d = 0; d < full_.widths.size(); ++d) {
    const std::optional<Subnet> smaller = groups.shrink(full_, static_cast<int>(d), 1);
    least_.push_back(groups.width(static_cast<int>(d), 1));
    if (!smaller) {
      share_.push_back(0);
      continue;
    }
    const Cost rest = cost(graph, *smaller);
    const double removed = 1 - static_cast<double>(smaller->widths[d]) / full_.widths[d];
    const auto touched = [removed](std::int64_t all, std::int64_t left) {
      return static_cast<double>(all - left) / removed / static_cast<double>(all);
    };
    share_.push_back(std::pow(touched(whole.macs, rest.macs), 1 - tilt) *
                     std::pow(touched(whole.parameters, rest.parameters), tilt));
  }
  const double sum = std::accumulate(share_.begin(), share_.end(), 0.0);
  for (double& share : share_) share /= sum > 0 ? sum : 1;
}

double ShrinkingPrior::operator()(const Subnet& subnet) const {
  double expected = subnet.resolution > 0 ? std::log(static_cast<double>(side_) / subnet.resolution) : 0;
  for (std::size_t d = 0; d < share_.size(); ++d) {
    const double width = subnet.widths[d] > 0 ? subnet.widths[d] : least_[d] / 2.0;
    expected += share_[d] * std::log(full_.widths[d] / width);
  }
  return expected;
}

}  // namespace concertina::search
