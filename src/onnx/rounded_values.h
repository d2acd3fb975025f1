#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "onnx/constant.h"
#include "onnx_subset.pb.h"

namespace concertina::onnx {

/// The values of a file that a QuantizeLinear rounds and a DequantizeLinear turns to floats again. Read
/// together, the two do nothing but round.
class RoundedValues {
 public:
  /// Takes note of a QuantizeLinear. parameters: its scale, maybe its zero point. Fails if they are no
  /// constants.
  Status quantize(const onnx::NodeProto& node, std::span<const Constant> parameters);

  /// Fails unless the DequantizeLinear undoes the QuantizeLinear whose value it reads.
  Status dequantize(const onnx::NodeProto& node, std::span<const Constant> parameters) const;

  /// Whether a QuantizeLinear makes the value.
  bool contains(const std::string& value) const { return steps_.contains(value); }

 private:
  /// A scale for each channel, or one for all, and the zero points likewise.
  struct Steps {
    std::vector<double> scales;
    std::vector<double> zero_points;
    friend bool operator==(const Steps&, const Steps&) = default;
  };
  static Result<Steps> read(const onnx::NodeProto& node, std::span<const Constant> parameters);

  std::map<std::string, Steps> steps_;  ///< by value
};

}  // namespace concertina::onnx
