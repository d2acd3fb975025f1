#pragma once

#include "base/clock.h"
#include "train/supernet/conv_kind.h"
#include "train/torch.h"

namespace concertina::train {

/// How long a convolution takes forward and backward, with the moments that a batch norm after it needs.
struct ConvTimes {
  double own_ms = 0;
  double libtorch_ms = 0;
};

/// At full width, and at half of it, where sub-nets are.
struct KindTimes {
  ConvTimes full, half;
};

/// Whether a training is clearly faster with LibTorch's. What a repeated measurement may turn round is not
/// clear, and our kernels are kept.
bool libtorch_is_faster(const KindTimes& times);

/// How a kind is measured.
struct ConvPace {
  torch::Dtype dtype = torch::kFloat;  ///< of maps
  int images = 1;                      ///< of a training step, in this process
  double most_ms = 0;                  ///< after which no further round begins
};

/// Medians of rounds, in each of which the two take turns: at most 9 and, however long they take, at least 3.
/// Large maps are measured with fewer images.
KindTimes measure_kind(const ConvKind& kind, const ConvPace& pace, const Clock& clock);

}  // namespace concertina::train
