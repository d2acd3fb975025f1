#pragma once

#include <cstdint>

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

/// 1 / a^2 of the noise scales, or a^2 if channels of small noise are to go first (the paper can be read
/// both ways).
Importance noise_importance(const NoiseScales& noise, recipe::RemoveFirst remove_first);

/// An importance that has cost something.
struct Ranking {
  Importance importance;
  search::Spending spent = {};
};

/// |sum over a channel's weights of w dL/dw|, mean over rank.batches training batches (Molchanov 2017).
Result<Ranking> taylor_ranking(const Run& run, const Tensors& weights);

/// s^2 E[(dL/dw)^2] summed over a channel's weights, s the standard deviation of the layer's: the limit of
/// noise ranking for little noise, without training. Over rank.batches training batches.
Result<Ranking> fisher_ranking(const Run& run, const Tensors& weights);

/// Trains on from `weights` with trainable noise on them (arXiv:2009.05681); what counts is the scales that
/// come out. Resumes from <folder>/checkpoint.pt, which must be of the same training.
Result<Ranking> noise_ranking(const Run& run, const Tensors& weights, const recipe::Recipe::Rank& recipe,
                              const std::filesystem::path& folder);

/// By the method that `recipe` names; in `folder` it keeps what a resumed ranking needs.
Result<Ranking> rank_channels(const Run& run, const Tensors& weights, const recipe::Recipe::Rank& recipe,
                              const std::filesystem::path& folder);

/// Judges every ranker on the pretrained network of the run, on 1000 validation images with batch-norm
/// statistics estimated anew for each removal. Removals that were measured before are read from
/// <run>/rankers/removals.jsonl.
Result<std::vector<report::RankerQuality>> measure_rankers(const Run& run);

}  // namespace concertina::train
