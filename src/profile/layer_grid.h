#pragma once

#include <vector>

#include "latency/latency_table.h"

namespace concertina::profile {

/// How long a node took at one pair of widths.
struct LayerSample {
  int inputs = 0;   ///< active channels before it
  int outputs = 0;  ///< behind it
  double milliseconds = 0;
};

/// Samples as a complete grid over the widths that they have, or, of many, some of them. A pair gets the
/// median of its samples; if there are none, that of the nearest ones, each in proportion to the product of
/// its widths. `follows_output`: the input tells nothing, and the grid has one. Precondition: not empty,
/// times are positive.
latency::LayerLatency grid_of(const std::vector<LayerSample>& samples, bool follows_output);

}  // namespace concertina::profile
