#pragma once

#include <span>
#include <string>
#include <vector>

#include "onnx/model_file.h"
#include "quantization/combinations.h"
#include "runtime/tuning.h"

/// The precisions that a tuning table has measured for each layer.
namespace concertina::quantization {

/// fp32, bf16 or int8.
Precision precision_of(runtime::Packing packing);

/// A layer that can have several precisions.
struct PreciseLayer {
  NodeId node = 0;
  std::vector<runtime::Packing> options;  ///< the first is fp32, in the packing that suits it best
  std::vector<std::int64_t> bytes;        ///< of its weights in each
};

/// A sub-net of the model and what its layers have.
struct MixedSubnet {
  int subnet = 0;
  Combination options;
};

class LayerPrecisions {
 public:
  /// Fails, saying what to do, unless the table is of this machine and this model for the precision auto,
  /// says which kernels were the fastest, and leaves some layer a choice. Refers to the model.
  static Result<LayerPrecisions> make(const onnx::ModelFile& file, runtime::Tuning tuning);

  const std::vector<PreciseLayer>& layers() const { return layers_; }
  const std::string& name(std::size_t layer) const;

  /// Milliseconds, with losses of 0. Layers that the sub-net leaves out, or has weights of its own for, have
  /// no options.
  LayerOptions times(int subnet) const;

  /// Every layer that has a choice in the sub-net in this precision; in fp32 where it cannot have it.
  Combination all_in(Precision precision, int subnet) const;
  bool has(Precision precision) const;

  OptionBytes bytes() const;
  /// Of the layers that leave no choice.
  std::int64_t other_bytes() const { return other_bytes_; }

  /// Of the weights that the sub-net reads, each of 4, 2 or 1 bytes.
  std::int64_t weight_bytes(const MixedSubnet& mixed) const;

  /// A table by which sub-net i of a model with these sub-nets has the layers of the i-th.
  runtime::Tuning tuning_of(std::span<const MixedSubnet> subnets) const;

 private:
  LayerPrecisions(const onnx::ModelFile& file, runtime::Tuning tuning)
      : file_(&file), tuning_(std::move(tuning)) {}

  void find_layers();
  void find_choices();
  const runtime::LayerTuning& tuned(std::size_t layer) const { return tuning_.layers.at(name(layer)); }
  void set_kernels(std::size_t layer, std::span<const MixedSubnet> subnets, runtime::LayerTuning& to) const;

  const onnx::ModelFile* file_;
  runtime::Tuning tuning_;
  std::vector<PreciseLayer> layers_;
  std::vector<std::vector<bool>> choices_;  ///< by sub-net and layer: it leaves a choice there
  std::int64_t other_bytes_ = 0;
};

}  // namespace concertina::quantization
