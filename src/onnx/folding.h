#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "concertina/result.h"
#include "graph/network.h"
#include "onnx/onnx_file.h"

namespace concertina::onnx {

/// A tensor that is known before the network runs: a constant, or what follows from constants and from
/// values' shapes. Any of ONNX's number types, those of 16 bits as 32-bit floats; what the batch's size
/// decides is NaN.
struct FoldedTensor {
  enum class Type { float32, float64, integer };

  std::vector<int> shape;
  std::vector<double> values;
  Type type = Type::float32;
};

/// Fails, without its name, if the tensor has a type without numbers, is stored elsewhere, or does not hold
/// as many values as its shape says.
Result<FoldedTensor> read_folded(const TensorView& tensor);

/// As 32-bit floats.
Array to_array(const FoldedTensor& tensor);

/// As whole numbers; those of the batch, and what is no whole number, are missing.
std::vector<std::optional<std::int64_t>> to_integers(const FoldedTensor& tensor);

/// What the node makes of constants. Inputs that are left out are null. Fails if we do not compute this op
/// beforehand, if inputs do not fit, or if the result has more than `most_values` values.
Result<FoldedTensor> fold(const onnx::NodeProto& node, std::span<const FoldedTensor* const> inputs,
                          std::int64_t most_values);

}  // namespace concertina::onnx
