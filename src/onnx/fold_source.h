#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "concertina/result.h"
#include "onnx/folding.h"
#include "onnx_subset.pb.h"

/// What the files that fold constants share.
namespace concertina::onnx {

/// What the folding of an op may look at.
struct FoldSource {
  const onnx::NodeProto& node;
  std::span<const FoldedTensor* const> inputs;
  std::int64_t most_values;

  const FoldedTensor* input(std::size_t i) const { return i < inputs.size() ? inputs[i] : nullptr; }
};

using Folder = Result<FoldedTensor> (*)(const FoldSource&);

/// For an op that computes with numbers; null if it is none, or one that is not folded.
Folder find_arithmetic(std::string_view type);

/// Fails if one of the first `count` inputs is left out.
Status check_inputs(const FoldSource& source, std::size_t count);

/// Values of a shape; from 2^36 on, only that they are so many.
std::int64_t count(std::span<const int> shape);

/// As arithmetic of the type would have it.
double rounded(double value, FoldedTensor::Type type);

/// Whether the batch's size is among the values.
bool has_unknown(const FoldedTensor& tensor);

/// Fails where the batch's size is among them.
Result<std::vector<int>> whole_numbers(const FoldedTensor& tensor);

/// An axis of `rank`, which may be counted from the end.
Result<int> axis_of(std::int64_t axis, int rank);

/// Sorted axes from the attribute or, since operator set 13 or 18, from the second input.
Result<std::vector<int>> axes(const FoldSource& source, int rank);

std::vector<std::size_t> strides_of(std::span<const int> shape);

/// The values of a tensor of `shape` that lie where strides say. Precondition: inside of `from`.
FoldedTensor gathered(const FoldedTensor& from, std::vector<int> shape, std::span<const std::size_t> strides);

/// `from` repeated to `shape`. Precondition: it can be broadcast to it.
FoldedTensor repeated(const FoldedTensor& from, const std::vector<int>& shape);

/// The shape to which both are broadcast. Fails if they do not fit, or if it has more than `most_values`.
Result<std::vector<int>> broadcast(std::span<const int> a, std::span<const int> b, std::int64_t most_values);

}  // namespace concertina::onnx
