#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "graph/network.h"
#include "recipe/recipe.h"
#include "search/spending.h"
#include "train/images/image_batches.h"
#include "train/supernet/supernet.h"

/// What sub-nets learn, and what they are measured by: the labels of images or of their pixels, or a
/// teacher's outputs.
namespace concertina::train {

/// A trained network whose outputs sub-nets learn, the same network before it is trained any further. For one
/// thread at a time.
class Teacher {
 public:
  /// One of its outputs.
  struct Output {
    NodeId node = 0;            ///< that makes it; before a Softmax, whose input is compared
    bool distribution = false;  ///< scores of classes, at each place of a map; else plain values
    double weight = 1;
    double variance = 1;  ///< of plain values around their channel's mean: the unit of squared errors
  };

  /// `network`: with its statistics. An output is a distribution if a Softmax makes it or `recipe` says so;
  /// the variances are those on the images at `indices`. Fails if `recipe` is not of so many outputs.
  static Result<std::shared_ptr<const Teacher>> make(const Network& network,
                                                     const recipe::Recipe::Distill& recipe,
                                                     const Compute& compute, const ImageBatches& images,
                                                     std::span<const std::int64_t> indices);

  std::span<const Output> outputs() const { return outputs_; }
  std::span<const NodeId> nodes() const { return nodes_; }

  /// What it makes of a batch, at nodes(). Batches that come again are remembered, up to a limit.
  std::vector<torch::Tensor> teach(const Batch& batch) const;

  /// Of a batch of so many images.
  search::Spending cost(std::int64_t images) const;

 private:
  Teacher(Supernet quick, Supernet exact, Tensors statistics)
      : quick_(std::move(quick)), exact_(std::move(exact)), statistics_(std::move(statistics)) {}

  std::vector<torch::Tensor> compute(const Supernet& net, const Batch& batch) const;

  Supernet quick_;  ///< in the precision of training, for batches that come only once
  Supernet exact_;
  Tensors statistics_;
  std::vector<Output> outputs_;
  std::vector<NodeId> nodes_;
  mutable std::map<std::uint64_t, std::vector<torch::Tensor>> remembered_;  ///< by Batch::key
  mutable std::size_t remembered_bytes_ = 0;
};

/// Values that are compared: of the first output, or at the teacher's nodes().
using Outputs = std::vector<torch::Tensor>;

/// What a batch's outputs should be.
struct Targets {
  torch::Tensor labels;
  const Teacher* teacher = nullptr;
  Outputs taught;          ///< by the teacher, if there is one
  Processes sharers = {};  ///< of the batch
};
Targets targets_of(const Batch& batch);

/// What it costs to have them.
search::Spending cost_of_targets(const Batch& batch);

/// Of the part of the batch that is here; statistics are of all of it. With label maps, a single score s of a
/// pixel stands for the scores 0 and s of two classes.
Outputs forward(const Supernet& net, const Batch& batch, const Subnet& subnet, ForwardOptions options = {});

/// Mean over the images: the cross-entropy with the labels, spread by `label_smoothing` over all classes; the
/// same with the labels of all pixels that have one, reduced to the output's size; or
/// the weighted sum over the teacher's outputs, of the divergence from a distribution (Kullback and Leibler)
/// and the squared error of values over their variance. Of a shared batch it is this process's part, such
/// that the mean over the processes, if they have equally many images, is the loss of all.
torch::Tensor loss_of(const Outputs& outputs, const Targets& targets, double label_smoothing);

/// Adds up the losses and accuracies of batches, of all their parts.
class Score {
 public:
  void add(const Outputs& outputs, const Targets& targets);

  /// The accuracy, 0 .. 1: the share of right labels; the mean over the classes of pixels, of those where
  /// output and map agree on the class over those where either has it (IoU); or the weighted mean over the
  /// teacher's outputs, of the share of places where both prefer the same class and of 1 less the squared
  /// error over the variance. Precondition: images were added.
  search::Evaluation mean() const;

 private:
  std::int64_t images_ = 0;
  torch::Tensor loss_;
  std::vector<torch::Tensor> accuracies_;  ///< by output
  std::vector<double> weights_;
  torch::Tensor agreed_, either_;  ///< pixels by class, of label maps; undefined without
};

}  // namespace concertina::train
