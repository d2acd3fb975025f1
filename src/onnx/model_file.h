#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "graph/network.h"
#include "graph/quantization.h"
#include "onnx/network_file.h"

namespace concertina::onnx {

/// The newest format that is known. It rises when an old reader would go wrong; what older ones can tell is
/// written in the oldest that has it.
inline constexpr int kModelFormat = 6;

/// What a sub-net brings of its own.
struct SubnetRecord {
  Subnet subnet;
  /// Arrays of its own at its widths, in place of the network's: "<norm>.running_mean" and
  /// "<norm>.running_var" of every batch norm; maybe weight and bias of batch norms and linear layers, where
  /// they are not shared.
  Weights own;
  double validation_accuracy = 0;  ///< 0 .. 1
  std::optional<double> test_accuracy;
  /// What the trainer computed of probe_images(): [kProbeImages][...] for each output; or empty.
  std::vector<float> probe_logits = {};
  Quantizations quantization = {};  ///< of its tensors, for int8; empty if nothing was calibrated

  friend bool operator==(const SubnetRecord&, const SubnetRecord&) = default;
};

/// What is done to pixels of 0 .. 1 before the network sees them: (x - mean) / stddev, per channel.
struct Preprocessing {
  std::vector<float> mean, stddev;
  /// Before: images are scaled to so many pixels of the shorter side, then the middle is taken; 0: as many as
  /// the network's height.
  int resize = 0;
  bool bgr = false;  ///< the three channels are blue, green, red; from format 4

  friend bool operator==(const Preprocessing&, const Preprocessing&) = default;
};

/// Finds a model's validation images again: those that data::split_training() splits off its data set.
struct ValidationImages {
  std::int64_t count = 0;    ///< of them
  std::int64_t among = 0;    ///< training images of the data set, themselves included
  std::int64_t seed = 0;     ///< of the split
  std::uint64_t labels = 0;  ///< data::hash_of_labels() of them
  bool by_class = true;      ///< each class has its share of them; older models took them from all alike

  friend bool operator==(const ValidationImages&, const ValidationImages&) = default;
};

/// How an output of a distilled model is compared with its teacher's.
struct TaughtOutput {
  bool distribution = false;  ///< by the class that it prefers at each place; else by the squared error
  double weight = 1;          ///< in the accuracy, the weighted mean over the outputs
  double variance = 1;        ///< by which squared errors are divided

  friend bool operator==(const TaughtOutput&, const TaughtOutput&) = default;
};

/// The label maps that a model learned (data/label_map.h).
struct LabelMaps {
  bool black_and_white = false;  ///< they were masks of 0 and 255, which is the class 1

  friend bool operator==(const LabelMaps&, const LabelMaps&) = default;
};

/// A dynamic network, as its file holds it (docs/model-format.md).
struct ModelFile {
  Network network;  ///< at full size; its statistics are those of the first sub-net
  std::vector<SubnetRecord>
      subnets;  ///< from the full network to the smallest, each nested in the one before
  Preprocessing preprocessing;
  std::vector<std::string>
      classes;  ///< one name for each value of the first output; none if it tells none apart
  std::optional<ValidationImages> validation = {};  ///< files of before it was recorded have none
  std::vector<TaughtOutput> taught = {};            ///< by output; none: it was trained on labels
  std::optional<std::uint64_t> teacher = {};        ///< hash_network() of the file that it was distilled from
  /// The labels were of pixels, and accuracies are mean IoU.
  std::optional<LabelMaps> label_maps = {};
};

/// Images, normalised, whose logits a model holds so that every program can be checked against the one that
/// trained it: [kProbeImages][channels][height][width] for each input, one after the other, uniform in [-2,
/// 2); docs/model-format.md has the formula.
inline constexpr int kProbeImages = 2;
std::vector<float> probe_images(const Graph& graph);

/// A valid ONNX file of the full network, the rest in its metadata. Fails if check_model() does, if a node is
/// opaque, or above ONNX's 2 GB.
Result<std::string> serialize_model(const ModelFile& model);

/// The model that was serialised, bit for bit. Any bytes may be given; whatever is no sound model is refused.
Result<ModelFile> parse_model(std::string_view bytes);

/// The same, where the arrays may be in a file beside the model's, in `folder`.
Result<ModelFile> parse_model(std::string_view bytes, const std::filesystem::path& folder);

/// The same with a file; errors name it. A model of more than `most` bytes keeps its arrays in another file
/// beside it, as write_onnx() does.
Status write_model(const std::filesystem::path& path, const ModelFile& model, std::size_t most = kMostBytes);
Result<ModelFile> read_model(const std::filesystem::path& path);

/// A model's bytes without the values of the arrays that are named. None if the values are in another file.
/// Precondition: parse_model() reads the bytes.
std::optional<std::string> strip_model(std::string_view bytes, const std::set<std::string>& arrays);

/// The model again, with the arrays that were left out empty. Unchecked: only for bytes that strip_model()
/// has made.
Result<ModelFile> parse_stripped(std::string_view bytes);

/// The model's record of a sub-net. Fails with a list of those it has.
Result<const SubnetRecord*> find_subnet(const ModelFile& model, const Subnet& subnet);

/// Fails, saying what to do, if the sub-net has no scales for int8.
Status check_calibrated(const SubnetRecord& record);

/// One of the model's sub-nets as plain static ONNX, its batch norms folded. Precondition: check_model()
/// accepts the model.
Result<std::string> export_subnet(const ModelFile& model, const Subnet& subnet);
Status write_subnet(const std::filesystem::path& path, const ModelFile& model, const Subnet& subnet);

}  // namespace concertina::onnx
