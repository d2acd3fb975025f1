#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "onnx/model_file.h"
#include "quantization/calibrate.h"

namespace concertina::apps {

/// What quantize found out about a model.
struct Calibrated {
  std::int64_t images = 0;
  std::vector<quantization::CalibratedTensors> subnets;  ///< in the order of the model
};

/// A table of the tensors of the largest sub-net, and one of the sub-nets.
std::string to_text(const onnx::ModelFile& file, const Calibrated& calibrated);

/// The sub-nets, each with its tensors.
nlohmann::json to_json(const onnx::ModelFile& file, const Calibrated& calibrated);

}  // namespace concertina::apps
