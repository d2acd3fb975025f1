#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "onnx/constant.h"
#include "onnx_subset.pb.h"

namespace concertina::onnx {

/// What a QuantizeLinear lets through.
struct Saturation {
  float low = 0;
  float high = 0;
};

/// The values of a file that a QuantizeLinear rounds and a DequantizeLinear turns to floats again. Read
/// together, the two round and limit.
class RoundedValues {
 public:
  /// Takes note of a QuantizeLinear. parameters: its scale, maybe its zero point. Fails if they are no
  /// constants, or if they are no scale and zero point.
  Status quantize(const onnx::NodeProto& node, std::span<const Constant> parameters);

  /// Fails unless the DequantizeLinear undoes the QuantizeLinear whose value it reads.
  Status dequantize(const onnx::NodeProto& node, std::span<const Constant> parameters) const;

  /// Whether a QuantizeLinear makes the value.
  bool contains(const std::string& value) const { return steps_.contains(value); }

  /// The limits of such a value. Fails if each channel has its own, or if it has other numbers than those of
  /// 8 bits.
  Result<Saturation> saturation(const std::string& value) const;

 private:
  /// A scale for each channel, or one for all, and the zero points likewise.
  struct Steps {
    std::vector<double> scales;
    std::vector<double> zero_points;
    std::optional<int> type;  ///< of the zero point, if the file says it
    friend bool operator==(const Steps&, const Steps&) = default;
  };
  static Result<Steps> read(const onnx::NodeProto& node, std::span<const Constant> parameters);

  std::map<std::string, Steps> steps_;  ///< by value
};

}  // namespace concertina::onnx
