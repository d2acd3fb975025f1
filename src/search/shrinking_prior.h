#pragma once

#include <vector>

#include "graph/channel_groups.h"

namespace concertina::search {

/// What is expected of a shrunken network before anything is measured, in nats:
///
///   K(w, r) = sum over dimensions d of  share[d] * log(C_d / w_d)  +  log(R / r),
///   share[d] ~ M_d^(1 - tilt) * P_d^tilt
///
/// where M_d and P_d are the shares of the full network's MACs and parameters in the layers that dimension d
/// touches, C_d its channels, and the shares add up to 1; R and r are the pixels of the image's side and of
/// the sub-net's. An absent dimension counts as half of a group. K is 0 for the full network, and log 2 for
/// half of every width as for half of the resolution, which both leave about a quarter of the MACs. With tilt
/// 0, uniform widths have about the least K of all of their MACs; a larger tilt moves MACs to the layers with
/// many parameters per MAC, as deep ones with few pixels have them.
///
/// Why: the loss that a search measures tells what a step destroys in weights that were trained for the full
/// network. Far down the chain that is noise, and training mends most of it; docs/results has the trials.
class ShrinkingPrior {
 public:
  ShrinkingPrior(const Graph& graph, const ChannelGroups& groups, double tilt);

  /// Precondition: the sub-net fits the graph.
  double operator()(const Subnet& subnet) const;

  const std::vector<double>& share() const { return share_; }

 private:
  Subnet full_;
  int side_;                   ///< pixels of the image's shorter side
  std::vector<double> share_;  ///< by free dimension
  std::vector<int> least_;     ///< widths of one group, by free dimension
};

}  // namespace concertina::search
