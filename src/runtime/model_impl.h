#pragma once

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

/// The same with the kernels that `policy` picks.
Result<std::shared_ptr<const Model>> make_model(const onnx::ModelFile& file, Precision precision,
                                                const KernelPolicy& policy);

}  // namespace runtime
}  // namespace concertina
