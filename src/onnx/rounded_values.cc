#include "onnx/rounded_values.h"

#include "base/try.h"

namespace concertina::onnx {

Result<RoundedValues::Steps> RoundedValues::read(const onnx::NodeProto& node,
                                                 std::span<const Constant> parameters) {
  const bool constant = node.input_size() >= 2 && node.input_size() <= 3 &&
                        static_cast<int>(parameters.size()) + 1 >= node.input_size();
  if (!constant) return Error{"its scale or zero point is no constant"};
  ASSIGN_OR_RETURN(const auto scales, parameters[0].tensor());
  Steps steps{.scales = scales->values, .zero_points = std::vector<double>(scales->values.size())};
  if (parameters.size() < 2 || parameters[1].left_out()) return steps;
  ASSIGN_OR_RETURN(const auto zero_points, parameters[1].tensor());
  if (zero_points->values.size() != steps.scales.size())
    return Error{"it does not have as many zero points as scales"};
  steps.zero_points = zero_points->values;
  return steps;
}

Status RoundedValues::quantize(const onnx::NodeProto& node, std::span<const Constant> parameters) {
  ASSIGN_OR_RETURN(steps_[node.output(0)], read(node, parameters));
  return {};
}

Status RoundedValues::dequantize(const onnx::NodeProto& node, std::span<const Constant> parameters) const {
  ASSIGN_OR_RETURN(const Steps steps, read(node, parameters));
  if (steps == steps_.at(node.input(0))) return {};
  return Error{"its scale or zero point is another than that of the QuantizeLinear before it"};
}

}  // namespace concertina::onnx
