#include "onnx/rounded_values.h"

#include <algorithm>
#include <cmath>

#include "base/try.h"

namespace concertina::onnx {

Result<RoundedValues::Steps> RoundedValues::read(const onnx::NodeProto& node,
                                                 std::span<const Constant> parameters) {
  const bool constant = node.input_size() >= 2 && node.input_size() <= 3 &&
                        static_cast<int>(parameters.size()) + 1 >= node.input_size();
  if (!constant) return Error{"its scale or zero point is no constant"};
  ASSIGN_OR_RETURN(const auto scales, parameters[0].tensor());
  Steps steps{.scales = scales->values,
              .zero_points = std::vector<double>(scales->values.size()),
              .type = onnx::TensorProto::UINT8};
  const bool positive = std::all_of(steps.scales.begin(), steps.scales.end(),
                                    [](double scale) { return std::isfinite(scale) && scale > 0; });
  if (!positive) return Error{"its scale is not above 0"};
  if (parameters.size() < 2 || parameters[1].left_out()) return steps;
  ASSIGN_OR_RETURN(const auto zero_points, parameters[1].tensor());
  if (zero_points->values.size() != steps.scales.size())
    return Error{"it does not have as many zero points as scales"};
  steps.zero_points = zero_points->values;
  steps.type = parameters[1].stored_type();
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

Result<Saturation> RoundedValues::saturation(const std::string& value) const {
  const auto& [scales, zero_points, type] = steps_.at(value);
  if (scales.size() != 1)
    return Error{"it has a scale for each channel of a value; only one for all is read"};
  const bool is_signed = type == onnx::TensorProto::INT8;
  if (!is_signed && type != onnx::TensorProto::UINT8)
    return Error{"its zero point is neither uint8 nor int8, stored in the file"};
  const double least = is_signed ? -128 : 0, most = is_signed ? 127 : 255;
  return Saturation{.low = static_cast<float>(scales[0] * (least - zero_points[0])),
                    .high = static_cast<float>(scales[0] * (most - zero_points[0]))};
}

}  // namespace concertina::onnx
