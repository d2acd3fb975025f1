#pragma once

#include "graph/network.h"
#include "graph/quantization.h"
#include "onnx_subset.pb.h"

/// Networks in 8 bits as other runtimes take them ("QDQ"): ops of floats, each between a DequantizeLinear and
/// a QuantizeLinear.
namespace concertina::onnx {

/// What to_onnx() makes of the network, in 8 bits:
/// - A value is followed by a pair of QuantizeLinear and DequantizeLinear if `scales` has it and a node reads
///   it; uint8, one scale and zero point. What only moves or picks values takes its input's scale. No pair is
///   between a node and the Relu or Clip that alone reads it if that one's pair limits values as much, so
///   that a runtime can make one of the two.
/// - The weight of a convolution or linear layer that reads such a value is int8, with a scale for each
///   output channel and zero point 0; its bias is int32, with the product of the input's and the weight's
///   scale. Transposed convolutions keep their floats.
/// - Outputs of the network, and of means over dilated windows, are floats.
///
/// `peaks`: arrays as the network's; the first value of each row (output channel) of a weight has the
/// magnitude that becomes 127. Fails as to_onnx() does. Precondition: check_weights() accepts the network.
Result<onnx::ModelProto> to_qdq_onnx(const Network& network, const Quantizations& scales,
                                     const Weights& peaks);

}  // namespace concertina::onnx
