#include "onnx/fold_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/try.h"
#include "onnx/attributes.h"
#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

/// Where each value of a tensor of `shape` lies in one whose axes have these strides.
std::vector<std::size_t> walk(std::span<const int> shape, std::span<const std::size_t> strides) {
  std::vector<std::size_t> offsets = {0};
  for (std::size_t d = 0; d < shape.size(); ++d) {
    std::vector<std::size_t> longer;
    longer.reserve(offsets.size() * static_cast<std::size_t>(shape[d]));
    for (const std::size_t begin : offsets) {
      for (int i = 0; i < shape[d]; ++i) longer.push_back(begin + static_cast<std::size_t>(i) * strides[d]);
    }
    offsets = std::move(longer);
  }
  return offsets;
}

}  // namespace

Status check_inputs(const FoldSource& source, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!source.input(i)) return Error{"an input of it is left out"};
  }
  return {};
}

std::int64_t count(std::span<const int> shape) {
  constexpr std::int64_t kMany = std::int64_t{1} << 36;  // times kMaxSize it still fits
  std::int64_t product = 1;
  for (const int size : shape) product = std::min(product * size, kMany);
  return product;
}

double rounded(double value, FoldedTensor::Type type) {
  switch (type) {
    case FoldedTensor::Type::float32:
      return static_cast<float>(value);
    case FoldedTensor::Type::float64:
      return value;
    case FoldedTensor::Type::integer:
      return std::trunc(value);
  }
  return value;
}

bool has_unknown(const FoldedTensor& tensor) {
  return std::any_of(tensor.values.begin(), tensor.values.end(),
                     [](double value) { return std::isnan(value); });
}

Result<std::vector<int>> whole_numbers(const FoldedTensor& tensor) {
  std::vector<int> numbers;
  for (const auto& value : to_integers(tensor)) {
    if (!value || std::abs(*value) > kMaxSize) return Error{"it depends on the size of the batch"};
    numbers.push_back(static_cast<int>(*value));
  }
  return numbers;
}

Result<int> axis_of(std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) return Error{fmt::format("its axis {} is none of {}", axis, rank)};
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Result<std::vector<int>> axes(const FoldSource& source, int rank) {
  std::vector<std::int64_t> listed = Attributes(source.node).list("axes");
  if (source.input(1) != nullptr) {
    ASSIGN_OR_RETURN(const auto numbers, whole_numbers(*source.input(1)));
    listed.assign(numbers.begin(), numbers.end());
  }
  std::vector<int> result;
  for (const std::int64_t axis : listed) {
    ASSIGN_OR_RETURN(result.emplace_back(), axis_of(axis, rank));
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::size_t> strides_of(std::span<const int> shape) {
  std::vector<std::size_t> strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;)
    strides[d - 1] = strides[d] * static_cast<std::size_t>(shape[d]);
  return strides;
}

FoldedTensor gathered(const FoldedTensor& from, std::vector<int> shape,
                      std::span<const std::size_t> strides) {
  FoldedTensor result{.shape = std::move(shape), .values = {}, .type = from.type};
  for (const std::size_t offset : walk(result.shape, strides)) result.values.push_back(from.values[offset]);
  return result;
}

FoldedTensor repeated(const FoldedTensor& from, const std::vector<int>& shape) {
  const std::vector<std::size_t> strides = strides_of(from.shape);
  std::vector<std::size_t> spread(shape.size(), 0);
  for (std::size_t d = 0; d < from.shape.size(); ++d) {
    if (from.shape[d] > 1) spread[shape.size() - from.shape.size() + d] = strides[d];
  }
  return gathered(from, shape, spread);
}

Result<std::vector<int>> broadcast(std::span<const int> a, std::span<const int> b, std::int64_t most_values) {
  std::vector<int> shape(std::max(a.size(), b.size()), 1);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const int of_a = d < a.size() ? a[a.size() - 1 - d] : 1, of_b = d < b.size() ? b[b.size() - 1 - d] : 1;
    if (of_a != of_b && of_a != 1 && of_b != 1) return Error{"its inputs do not fit together"};
    shape[shape.size() - 1 - d] = of_a == 1 ? of_b : of_a;
  }
  if (count(shape) == 0 && shape.size() > 1) return Error{"it makes no values"};
  if (count(shape) > most_values)
    return Error{"it makes more values than the file has; write it anew with concertina-train import"};
  return shape;
}

}  // namespace concertina::onnx
