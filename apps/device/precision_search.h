#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/progress.h"
#include "common/accuracy.h"
#include "quantization/layer_precisions.h"

namespace concertina::apps {

struct PrecisionSearchOptions {
  std::int64_t loss_images = 256;         ///< of the images, to measure losses on
  double max_loss = 0.005;                ///< of a sub-net's accuracy, 0 .. 1
  std::optional<std::int64_t> max_bytes;  ///< of all packed weights
  double seconds = 30;                    ///< to time the combinations
  int threads = 1;                        ///< of the timed runs
  int batch = 1;                          ///< the same
};

/// What proposed a combination.
enum class Proposal { fp32, bf16, int8, search, random };

/// A sub-net in some precisions, as it was measured.
struct MeasuredCombination {
  quantization::MixedSubnet mixed;
  Proposal by = Proposal::search;
  double milliseconds = 0;
  double accuracy = 0;
  double loss = 0;            ///< of outputs; not measured if it is random
  double estimated_loss = 0;  ///< the sum over the layers
  std::int64_t weight_bytes = 0;
  bool chosen = false;  ///< for its sub-net
};

/// What a search has found.
struct SearchedPrecisions {
  std::vector<MeasuredCombination> combinations;
  std::int64_t images = 0;             ///< that accuracies were measured on
  std::int64_t loss_images = 0;        ///< that losses were measured on
  std::int64_t layer_evaluations = 0;  ///< a sub-net with one layer in another precision, on the loss_images
  runtime::Tuning tuning;              ///< the table of those that were chosen
  std::int64_t bytes = 0;              ///< of all packed weights with it
};

/// Finds combinations for each sub-net: measures the loss of each layer alone, adds losses and times up to
/// choose combinations, and measures these; beside it, random combinations with as many runs of images.
/// Fails, saying so, if nothing keeps the limits. Precondition: `accuracy` is of this model.
Result<SearchedPrecisions> search_precisions(const onnx::ModelFile& file,
                                             const quantization::LayerPrecisions& layers, Accuracy& accuracy,
                                             const PrecisionSearchOptions& options, Progress& progress);

/// The model with these sub-nets in place of its own.
Result<std::shared_ptr<const Model>> model_of(const onnx::ModelFile& file,
                                              const quantization::LayerPrecisions& layers,
                                              std::span<const quantization::MixedSubnet> subnets);

}  // namespace concertina::apps
