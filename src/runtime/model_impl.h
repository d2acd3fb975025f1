#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "concertina/model.h"
#include "onnx/model_file.h"
#include "runtime/packed_weights.h"
#include "runtime/plan.h"

namespace concertina {

struct Model::Impl {
  ImageInfo image;
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  std::vector<std::string> classes;
  std::vector<SubnetInfo> subnets;
  runtime::PackedWeights packed;
  std::vector<runtime::Plan> plans;  ///< by sub-net
  Precision precision = Precision::fp32;
  int largest_map = 1;  ///< pixels of the largest value
  std::size_t input_size = 0;
  std::size_t output_size = 0;
};

namespace runtime {

/// The runtime's form of a model. Fails if an op cannot be run, the machine lacks the precision, or the
/// tuning does not fit. Precondition: check_model() accepts it.
Result<std::shared_ptr<const Model>> make_model(const onnx::ModelFile& file,
                                                const ModelOptions& options = {});

/// A model, and what else its file holds. Of the file's network, arrays that are packed may be empty.
struct LoadedModel {
  std::shared_ptr<const Model> model;
  onnx::ModelFile file;
};

/// What Model::load() does.
Result<LoadedModel> load_model(const std::filesystem::path& path, const ModelOptions& options);

/// Fills the weights of a model that is made. If it fails, so does making the model.
using FillWeights = std::function<Status(const Network& network, PackedWeights& weights)>;
Status pack_weights(const Network& network, PackedWeights& weights);

/// The same with weights that are filled otherwise.
Result<std::shared_ptr<const Model>> make_model(const onnx::ModelFile& file, const ModelOptions& options,
                                                const FillWeights& fill);

/// The same with the kernels that `policy` picks.
Result<std::shared_ptr<const Model>> make_model(const onnx::ModelFile& file, Precision precision,
                                                const KernelPolicy& policy,
                                                const FillWeights& fill = pack_weights);

}  // namespace runtime
}  // namespace concertina
