#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "onnx/model_file.h"
#include "quantization/calibrate.h"

namespace concertina::apps {

/// A sub-net's on the validation images, 0 .. 1.
struct Accuracies {
  double fp32 = 0;
  double int8 = 0;
};

/// What quantize found out about a model.
struct Calibrated {
  std::int64_t images = 0;
  std::vector<quantization::CalibratedTensors> subnets;  ///< in the order of the model
  std::string measure = {};                              ///< what an accuracy is, for people
  std::vector<Accuracies> accuracies = {};               ///< the same; empty if they were not measured
};

/// A table of the tensors of the largest sub-net, and one of the sub-nets.
std::string to_text(const onnx::ModelFile& file, const Calibrated& calibrated);

/// The sub-nets, each with its tensors.
nlohmann::json to_json(const onnx::ModelFile& file, const Calibrated& calibrated);

}  // namespace concertina::apps
