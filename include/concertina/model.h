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
  /// Pixels of the image that its layers run on: less than the model's where the sub-net has a resolution.
  int height = 0;
  int width = 0;
  std::int64_t macs = 0;                ///< multiply-accumulates for one image
  std::int64_t parameters = 0;          ///< trainable values that it uses
  double validation_accuracy = 0;       ///< top-1 on the validation images, 0 .. 1
  std::optional<double> test_accuracy;  ///< top-1 on the test images, 0 .. 1, if it was measured
  std::size_t own_bytes = 0;            ///< memory that it shares with no other: its normalisation
  /// Memory for the maps between its layers. A session allocates it for each image of its largest batch. A
  /// session for several images may allocate it once more for each of its threads: where maps are large, each
  /// thread runs the first layers on an image of its own.
  /// The image that is scaled down for the sub-net lies there, too.
  std::size_t scratch_bytes = 0;
  /// Memory that one thread works in. A session allocates it for each of its threads.
  std::size_t workspace_bytes = 0;
};

/// The image that a model takes as its first input: fp32 values, [channels][height][width]. A value is
/// (x - mean) / stddev, where x is the pixel from 0 to 1. Each channel has its own mean and stddev. The
/// library neither decodes nor normalises images: the program does.
struct ImageInfo {
  int channels = 0;
  int height = 0;
  int width = 0;
  std::vector<float> mean;
  std::vector<float> stddev;
  /// Images of another size are scaled until their shorter side has so many pixels. Then the middle is taken.
  /// Usually it is the height.
  int resize = 0;
  bool bgr = false;  ///< the three channels are blue, green, red; else red, green, blue

  std::size_t size() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
};

/// One input or output of a model: fp32 values, [channels][height][width] for each image. A vector, such as
/// the logits, has height 1 and width 1.
struct TensorInfo {
  std::string name;  ///< its name in the model's file
  int channels = 0;
  int height = 1;
  int width = 1;
  bool probabilities = false;  ///< a softmax made its values; else they are scores, or anything else

  std::size_t size() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
};

struct ModelOptions {
  Precision precision = Precision::fp32;
  /// A file that `concertina tune` or `concertina precisions` wrote for this model on this machine. It names
  /// the kernel of each layer. Empty: rules of thumb choose the kernels.
  std::filesystem::path tuning = {};
  /// A folder in which the packed weights are kept: the next load with the same options maps them from there,
  /// and does not pack. Processes that load the model share that memory. Empty: nothing is kept. A folder
  /// that cannot be written, or a damaged file in it, is no error; then the weights are packed.
  std::filesystem::path cache = {};
};

/// A loaded network of several sizes. The weights are in memory once (once for each precision if a table
/// gives sub-nets different ones), packed for this machine's instruction set; all sub-nets use them. A model
/// never changes. Any number of sessions on any threads may share it.
class Model {
 public:
  /// Loads a file that concertina-train wrote. Fails if the file cannot be read or is damaged, if it holds an
  /// op that cannot be run, if this machine lacks the instructions for the precision, or if the tuning is of
  /// another model or machine. The error names the file.
  static Result<std::shared_ptr<const Model>> load(const std::filesystem::path& path,
                                                   const ModelOptions& options = {});

  /// The same with the file's bytes, which are not kept.
  static Result<std::shared_ptr<const Model>> parse(std::string_view bytes, const ModelOptions& options = {});

  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  /// The first input, usually the only one.
  const ImageInfo& image() const;

  /// All inputs and all outputs, in the order in which a run takes and gives them. They are the same for
  /// every sub-net.
  std::span<const TensorInfo> inputs() const;
  std::span<const TensorInfo> outputs() const;

  /// Number of floats for one image: of all inputs together, and of all outputs together.
  std::size_t input_size() const;
  std::size_t output_size() const;

  /// The class that each value of the first output stands for. Empty if it tells no classes apart.
  std::span<const std::string> classes() const;

  /// From the largest to the smallest. Each is nested in the one before. All other functions name a sub-net
  /// by its index in this list.
  std::span<const SubnetInfo> subnets() const;

  /// The index of a sub-net. Fails if the model does not have it; the error lists those that it has.
  Result<int> find(const Subnet& subnet) const;

  Precision precision() const;

  /// Memory of the packed weights in bytes. All sub-nets share them.
  std::size_t packed_bytes() const;

  /// Inside the library.
  struct Impl;
  explicit Model(std::unique_ptr<const Impl> impl);
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<const Impl> impl_;
};

}  // namespace concertina
