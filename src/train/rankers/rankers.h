#pragma once

#include <cstdint>
#include <optional>

#include "recipe/recipe.h"
#include "report/run_results.h"
#include "train/rankers/importance.h"
#include "train/run.h"
#include "train/supernet/noise.h"
#include "train/supernet/supernet.h"

/// All ways to rank channels. One score for each channel of a dimension; layers that share the dimension
/// count alike.
namespace concertina::train {

/// L1 norm of the filters that make a channel (Li 2017).
Importance filter_l1_importance(const Graph& graph, const Tensors& weights);

/// L1 norm of the weights that read a channel (Cai 2020, once-for-all).
Importance input_l1_importance(const Graph& graph, const Tensors& weights);

/// |scale| of the batch norms on a channel (Liu 2017, network slimming). Dimensions without one are all
/// alike.
Importance norm_scale_importance(const Graph& graph, const Tensors& weights);

/// Uniform random numbers: the control of a comparison.
Importance random_importance(const Graph& graph, std::uint64_t seed);

/// Leaves the channels in the order they have.
Importance equal_importance(const Graph& graph);

/// 1 / a^2 of the noise scales: a channel that bears noise is not needed.
Importance noise_importance(const NoiseScales& noise);

/// An importance that has cost something.
struct Ranking {
  Importance importance;
  search::Spending spent = {};
  std::optional<AveragedWeights> weights = {};  ///< set if the ranking trained the weights further
};

/// What a batch's gradients say of a node's output channels: of a batch norm |scale dL/dscale + shift
/// dL/dshift| (Molchanov 2019), of a convolution or linear layer that none follows |sum of
/// w dL/dw| over a channel's weights (Molchanov 2017). Under a batch norm that sum is 0: the loss does not
/// change with a filter's scale. Undefined for other nodes, and for those whose weights an earlier one owns.
torch::Tensor taylor_score(const Supernet& net, NodeId id);

/// Of a convolution or linear layer: s^2 times the sum of (dL/dw)^2 over a channel's weights, s their root
/// mean square. Undefined for other nodes, and for those whose weights an earlier one owns.
torch::Tensor fisher_score(const Supernet& net, NodeId id);

/// The Taylor scores, mean over rank.batches training batches.
Result<Ranking> taylor_ranking(const Run& run, const Tensors& weights);

/// The Fisher scores over rank.batches training batches: the limit of noise ranking for little noise, without
/// training.
Result<Ranking> fisher_ranking(const Run& run, const Tensors& weights);

/// Goes on training the pretrained weights, with trainable noise on them (arXiv:2009.05681), for rank.epochs
/// epochs. Each step runs forward and backward twice, with the same noise of both signs. Resumes from
/// <folder>/checkpoint.pt, which must be of the same training.
Result<Ranking> noise_ranking(const Run& run, const recipe::Recipe::Rank& recipe,
                              const std::filesystem::path& folder);

/// By the method that `recipe` names; in `folder` it keeps what a resumed ranking needs.
Result<Ranking> rank_channels(const Run& run, const Tensors& weights, const recipe::Recipe::Rank& recipe,
                              const std::filesystem::path& folder);

/// Judges every ranker but `none` on the pretrained network of the run, on 1000 validation images, with
/// batch-norm statistics as the search has them. Removals that were measured before are read from
/// <run>/rankers/removals.jsonl.
Result<std::vector<report::RankerQuality>> measure_rankers(const Run& run);

}  // namespace concertina::train
