#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/precision.h"
#include "concertina/result.h"
#include "concertina/subnet.h"

namespace concertina {

/// One of a model's sizes.
struct SubnetInfo {
  Subnet subnet;
  std::int64_t macs = 0;           ///< multiply-accumulates for one image
  std::int64_t parameters = 0;     ///< trainable values that it uses
  double validation_accuracy = 0;  ///< 0 .. 1
  std::optional<double> test_accuracy;
  std::size_t own_bytes = 0;  ///< memory for it alone: its normalisation; the weights are shared
  /// Memory for the maps between its layers: a session allocates it for each image of its largest batch. One
  /// that takes several images may allocate it once more for each of its threads, because in large maps each
  /// thread runs the first layers for an image of its own.
  std::size_t scratch_bytes = 0;
  /// Memory for what one thread works on, as rows that a kernel rearranges: a session allocates it for each
  /// of its threads.
  std::size_t workspace_bytes = 0;
};

/// What a model expects of an image, its first input: fp32 values, [channels][height][width], (x - mean) /
/// stddev of pixels of 0 .. 1, with a mean and a stddev for each channel.
struct ImageInfo {
  int channels = 0;
  int height = 0;
  int width = 0;
  std::vector<float> mean;
  std::vector<float> stddev;
  int resize = 0;  ///< pixels of the shorter side from which the middle is taken; usually the height

  std::size_t size() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
};

/// One input or output of a model: fp32 values, [channels][height][width] for each image. A vector, such as
/// logits, is a map of one pixel.
struct TensorInfo {
  std::string name;  ///< in the model's file
  int channels = 0;
  int height = 1;
  int width = 1;

  std::size_t size() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
};

struct ModelOptions {
  Precision precision = Precision::fp32;
  /// A table of `concertina tune` for this model and machine: the fastest kernel for each layer. Empty: rules
  /// of thumb choose.
  std::filesystem::path tuning = {};
};

/// A loaded dynamic network: one copy of the weights, packed for this machine's instruction set, and a plan
/// for each sub-net. It never changes, so any number of sessions on any threads may share it.
class Model {
 public:
  /// The model in a file that concertina-train wrote. Fails, naming the file, if it cannot be read, is
  /// damaged, holds an op that cannot be run, if this machine has no instructions for the precision, or if
  /// the tuning does not fit.
  static Result<std::shared_ptr<const Model>> load(const std::filesystem::path& path,
                                                   const ModelOptions& options = {});

  /// The same with the file's bytes.
  static Result<std::shared_ptr<const Model>> parse(std::string_view bytes, const ModelOptions& options = {});

  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  /// The first input, usually the only one.
  const ImageInfo& image() const;

  /// All inputs and outputs, in the order in which a run takes and gives them; none changes with the
  /// sub-net.
  std::span<const TensorInfo> inputs() const;
  std::span<const TensorInfo> outputs() const;

  /// Floats of one image, over all inputs and over all outputs.
  std::size_t input_size() const;
  std::size_t output_size() const;

  /// A name for each value of the first output; none if that is a map of several pixels.
  std::span<const std::string> classes() const;

  /// From the largest to the smallest, each nested in the one before. Elsewhere a sub-net is known by its
  /// index here.
  std::span<const SubnetInfo> subnets() const;

  /// The index of a sub-net. Fails with a list of those that there are.
  Result<int> find(const Subnet& subnet) const;

  Precision precision() const;

  /// Memory of the packed weights, which all sub-nets share.
  std::size_t packed_bytes() const;

  /// Inside the library.
  struct Impl;
  explicit Model(std::unique_ptr<const Impl> impl);
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<const Impl> impl_;
};

}  // namespace concertina
