#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/network.h"
#include "onnx/onnx_file.h"

namespace concertina::onnx {

/// No size in a network that is read may exceed this; so sums and products of a few of them fit into
/// integers.
inline constexpr std::int64_t kMaxSize = std::int64_t{1} << 24;

void write_tensor(const std::string& name, const Array& array, onnx::TensorProto& tensor);

/// A vector of 64-bit integers.
void write_integers(const std::string& name, const std::vector<std::int64_t>& values,
                    onnx::TensorProto& tensor);

/// Fails, without its name, if the tensor is not of floats, or does not hold as many values as its shape
/// says.
Result<Array> read_tensor(const TensorView& tensor);

}  // namespace concertina::onnx
