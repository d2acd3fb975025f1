#pragma once

#include <array>
#include <string_view>

#include "base/reader.h"
#include "concertina/precision.h"
#include "recipe/recipe.h"

namespace concertina::recipe {

/// The words for an enum's values in recipes, in the order of the values.
template <typename Enum>
inline constexpr std::array<std::string_view, 0> kNames{};
template <>
inline constexpr auto kNames<Precision> = kPrecisions;
template <>
inline constexpr auto kNames<Task> = std::to_array<std::string_view>({"classify", "segment", "distill"});
template <>
inline constexpr auto kNames<LearnedAs> = std::to_array<std::string_view>({"auto", "distribution", "values"});
template <>
inline constexpr auto kNames<NetworkNorms> = std::to_array<std::string_view>({"auto", "keep"});
template <>
inline constexpr auto kNames<Crop> = std::to_array<std::string_view>({"padded", "resized"});
template <>
inline constexpr auto kNames<ChannelOrder> = std::to_array<std::string_view>({"rgb", "bgr"});
template <>
inline constexpr auto kNames<PixelRange> = std::to_array<std::string_view>({"0..1", "0..255"});
template <>
inline constexpr auto kNames<Convolutions> = std::to_array<std::string_view>({"measured", "own", "libtorch"});
template <>
inline constexpr auto kNames<RankMethod> = std::to_array<std::string_view>({"noise", "l1", "input_l1",
                                                                            "norm_scale", "taylor", "fisher",
                                                                            "random", "none"});
template <>
inline constexpr auto kNames<SearchMethod> = std::to_array<std::string_view>({"progressive", "uniform",
                                                                              "given"});
template <>
inline constexpr auto kNames<NoiseVariant> = std::to_array<std::string_view>({"log_barrier", "plain"});
template <>
inline constexpr auto kNames<SearchCost> = std::to_array<std::string_view>({"macs", "parameters", "both",
                                                                            "latency"});
template <>
inline constexpr auto kNames<search::Criterion> = std::to_array<std::string_view>({"loss_per_cost",
                                                                                   "accuracy"});
template <>
inline constexpr auto kNames<JointStart> = std::to_array<std::string_view>({"ranked", "scratch"});
template <>
inline constexpr auto kNames<JointMethod> = std::to_array<std::string_view>({"together", "alone", "split"});
template <>
inline constexpr auto kNames<JointSampling> = std::to_array<std::string_view>({"two", "every"});
template <>
inline constexpr auto kNames<Distillation> = std::to_array<std::string_view>({"growing", "in_place", "mutual",
                                                                              "none"});
template <>
inline constexpr auto kNames<Reselection> = std::to_array<std::string_view>({"pareto", "paper"});

/// Calls field(table, key, member, range) for every key of a recipe: the one list that reading, writing and
/// checking share.
template <typename AnyRecipe, typename Field>
void for_each_field(AnyRecipe& r, Field&& field) {
  const Range any{}, positive{1e-12}, share{0, 1}, count{0, 1e9}, at_least_1{1, 1e9};
  field("", "seed", r.seed, count);
  field("", "task", r.task, any);
  field("network", "name", r.network.name, any);
  field("network", "width", r.network.width, positive);
  field("network", "decoupled", r.network.decoupled, any);
  field("network", "file", r.network.file, any);
  field("network", "output", r.network.output, any);
  field("network", "new_classifier", r.network.new_classifier, any);
  field("network", "batch_norm", r.network.batch_norm, any);
  field("data", "path", r.data.path, any);
  field("data", "format", r.data.format, any);
  field("data", "image_size", r.data.image_size, Range{0, 4096});
  field("data", "validation", r.data.validation, Range{0, 1e9});
  field("data", "crop", r.data.crop, any);
  field("data", "pad", r.data.pad, Range{0, 64});
  field("data", "flip", r.data.flip, any);
  field("data", "resize", r.data.resize, Range{0, 8192});
  field("data", "channel_order", r.data.channel_order, any);
  field("data", "range", r.data.range, any);
  field("data", "mean", r.data.mean, Range{0, 255});
  field("data", "stddev", r.data.stddev, Range{1e-6, 255});
  field("distill", "losses", r.distill.losses, any);
  field("distill", "weights", r.distill.weights, Range{0, 1e6});
  field("training", "batch", r.training.batch, Range{2, 65536});
  field("training", "precision", r.training.precision, any);
  field("training", "convolutions", r.training.convolutions, any);
  field("training", "learning_rate", r.training.learning_rate, positive);
  field("training", "muon_learning_rate", r.training.muon_learning_rate, Range{0, 1});
  field("training", "momentum", r.training.momentum, share);
  field("training", "weight_decay", r.training.weight_decay, share);
  field("training", "label_smoothing", r.training.label_smoothing, share);
  field("pretrain", "epochs", r.pretrain.epochs, count);
  field("rank", "method", r.rank.method, any);
  field("rank", "variant", r.rank.variant, any);
  field("rank", "epochs", r.rank.epochs, count);
  field("rank", "noise_learning_rate", r.rank.noise_learning_rate, positive);
  field("rank", "initial_noise", r.rank.initial_noise, Range{1e-6, 1});
  field("rank", "batches", r.rank.batches, at_least_1);
  field("rank", "barrier", r.rank.barrier, Range{0, 1e3});
  field("search", "method", r.search.method, any);
  field("search", "subnets", r.search.subnets, any);
  field("search", "groups", r.search.groups, at_least_1);
  field("search", "multiple", r.search.multiple, Range{1, 1024});
  field("search", "depth", r.search.depth, any);
  field("search", "resolution", r.search.resolution, any);
  field("search", "floor_groups", r.search.floor_groups, at_least_1);
  field("search", "keep", r.search.keep, any);
  field("search", "criterion", r.search.criterion, any);
  field("search", "cost", r.search.cost, any);
  field("search", "prior", r.search.prior, Range{0, 1e3});
  field("search", "tilt", r.search.tilt, share);
  field("search", "latency_table", r.search.latency_table, any);
  field("search", "refresh_every", r.search.refresh_every, at_least_1);
  field("search", "end_fraction", r.search.end_fraction, share);
  field("search", "images", r.search.images, Range{2, 1e9});
  field("search", "norm_batches", r.search.norm_batches, count);
  field("search", "reuse_activations", r.search.reuse_activations, any);
  field("search", "threshold", r.search.threshold, share);
  field("search", "fine_tune_share", r.search.fine_tune_share, share);
  field("search", "fine_tune_learning_rate", r.search.fine_tune_learning_rate, positive);
  field("select", "subnets", r.select.subnets, Range{2, 1000});
  field("select", "images", r.select.images, Range{2, 1e9});
  field("select", "rule", r.select.rule, any);
  field("joint", "method", r.joint.method, any);
  field("joint", "start", r.joint.start, any);
  field("joint", "epochs", r.joint.epochs, count);
  field("joint", "distillation", r.joint.distillation, any);
  field("joint", "sampling", r.joint.sampling, any);
  field("joint", "focus", r.joint.focus, Range{0, 100});
  field("joint", "private_norm", r.joint.private_norm, any);
  field("joint", "budget", r.joint.budget, Range{0, 1e6});
  field("quantize", "epochs", r.quantize.epochs, count);
  field("quantize", "learning_rate", r.quantize.learning_rate, positive);
  field("package", "norm_images", r.package.norm_images, Range{2, 1e9});
}

}  // namespace concertina::recipe
