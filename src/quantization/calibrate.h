#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "concertina/result.h"
#include "graph/graph.h"
#include "graph/quantization.h"
#include "onnx/model_file.h"
#include "quantization/range.h"
#include "quantization/rounding.h"

namespace concertina::quantization {

/// The images that show which values occur.
struct Images {
  std::int64_t count = 0;
  /// Replaces `values` by the images [begin, begin + batch), as a session takes them.
  std::function<void(std::int64_t begin, int batch, std::vector<float>& values)> fill;
};

/// What was found out about a tensor.
struct CalibratedTensor {
  std::string name;  ///< the node that makes it
  Interval ends;     ///< the least and the greatest value
  Interval range;    ///< the values that 8 bits hold
  Quantization quantization;
  Rounding rounding;
};

/// Of a sub-net, in the order in which the network makes them; its inputs are among them.
using CalibratedTensors = std::vector<CalibratedTensor>;

/// As a model file has it.
Quantizations quantizations_of(const CalibratedTensors& tensors);

/// Takes the values of a node.
using Visit = std::function<void(NodeId node, std::span<const float> values)>;
/// Runs a sub-net on a batch and shows the values of its nodes, as runtime::Observer does.
using RunBatch = std::function<Status(std::span<const float> images, int batch, const Visit& visit)>;

struct CalibrateOptions {
  RangeOptions range = {};
  int batch = 16;  ///< has no effect on the result
  int threads = 1;
};

/// One sub-net's. `advance` is told of each batch, twice. Fails if a run does, and if a value is not finite;
/// the sentence names the tensor. Preconditions: there are images; `run` shows the same nodes in each run.
Result<CalibratedTensors> calibrate_subnet(const Graph& graph, const RunBatch& run, const Images& images,
                                           const CalibrateOptions& options,
                                           const std::function<void(int batch)>& advance);

/// Those of all sub-nets of the model, in its order. Each has statistics of its own, so each has values of
/// its own. Fails as above, and if the runtime cannot run the model.
/// Preconditions: check_model() accepts the model; there are images; batch and threads are 1 or more.
Result<std::vector<CalibratedTensors>> calibrate(const onnx::ModelFile& model, const Images& images,
                                                 const CalibrateOptions& options, Progress& progress);

}  // namespace concertina::quantization
