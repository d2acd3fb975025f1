#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace concertina::onnx {

/// ONNX tells the map N x C x 1 x 1 (rank 4) from the vector N x C (rank 2) where a Graph does not. The rank
/// of an op's output, or why ONNX forbids the op on inputs of these ranks. Precondition: `op` is not the
/// input.
Result<int> output_rank(const Op& op, std::span<const int> inputs);

/// The rank of every value. Inputs have rank 4, unless those that are vectors only make sense with rank 2.
Result<std::vector<int>> value_ranks(const Graph& graph);

/// A value's shape in ONNX, for a batch.
std::vector<std::int64_t> onnx_shape(const Shape& shape, int rank, int batch);

}  // namespace concertina::onnx
