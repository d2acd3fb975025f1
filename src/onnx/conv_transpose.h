#pragma once

#include "onnx/op_from_onnx.h"

/// ConvTranspose: a convolution over a dilated input (op::Conv).
namespace concertina::onnx {

/// See read_op().
Result<OpWithArrays> read_conv_transpose(const OpSource& source);

/// ConvTranspose's filters [in][out / groups][h][w] as those of op::Conv, [out][in / groups][h][w] and turned
/// by half a circle; and the reverse. Precondition: the weight has four sizes, and `groups` divide the first.
Array transposed_filters(const Array& weight, int groups);

}  // namespace concertina::onnx
