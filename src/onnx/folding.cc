#include "onnx/folding.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include "base/try.h"
#include "onnx/attributes.h"
#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

/// What the folding of an op may look at.
struct FoldSource {
  const onnx::NodeProto& node;
  std::span<const FoldedTensor* const> inputs;
  std::int64_t most_values;

  const FoldedTensor* input(std::size_t i) const { return i < inputs.size() ? inputs[i] : nullptr; }
};

/// Values of a shape; from 2^36 on, only that they are so many.
std::int64_t count(std::span<const int> shape) {
  constexpr std::int64_t kMany = std::int64_t{1} << 36;  // times kMaxSize it still fits
  std::int64_t product = 1;
  for (const int size : shape) product = std::min(product * size, kMany);
  return product;
}

FoldedTensor vector_of(std::vector<double> values, FoldedTensor::Type type) {
  const int size = static_cast<int>(values.size());
  return {.shape = {size}, .values = std::move(values), .type = type};
}

/// As arithmetic of the type would have it.
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

/// An axis of `rank`, which may be counted from the end.
Result<int> axis_of(std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) return Error{fmt::format("its axis {} is none of {}", axis, rank)};
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

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

Result<FoldedTensor> reshape(const FoldSource& source) {
  if (!source.input(0) || !source.input(1)) return Error{"an input of it is left out"};
  ASSIGN_OR_RETURN(std::vector<int> shape, whole_numbers(*source.input(1)));
  const bool copies = Attributes(source.node).integer("allowzero", 0) == 0;
  const auto values = static_cast<std::int64_t>(source.input(0)->values.size());
  std::int64_t others = 1;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0 && copies && d < source.input(0)->shape.size()) shape[d] = source.input(0)->shape[d];
    if (shape[d] < -1 || shape[d] == 0) return Error{"its shape is impossible"};
    if (shape[d] > 0) others *= shape[d];
    if (others > kMaxSize) return Error{"its result is too large"};
  }
  for (int& size : shape) {
    if (size == -1) size = static_cast<int>(values / others);
  }
  if (count(shape) != values) return Error{"its shape does not fit its values"};
  return FoldedTensor{
      .shape = std::move(shape), .values = source.input(0)->values, .type = source.input(0)->type};
}

/// Axes from an attribute (before operator set 13) or from the second input.
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

Result<FoldedTensor> unsqueeze(const FoldSource& source) {
  if (!source.input(0)) return Error{"its input is left out"};
  const std::size_t added =
      source.input(1) ? source.input(1)->values.size() : Attributes(source.node).list("axes").size();
  FoldedTensor result = *source.input(0);
  if (result.shape.size() + added > 16) return Error{"its result has too many dimensions"};
  ASSIGN_OR_RETURN(const auto where, axes(source, static_cast<int>(result.shape.size() + added)));
  for (const int axis : where) {
    if (axis > static_cast<int>(result.shape.size())) return Error{"its axes leave gaps"};
    result.shape.insert(result.shape.begin() + axis, 1);
  }
  return result;
}

Result<FoldedTensor> squeeze(const FoldSource& source) {
  if (!source.input(0)) return Error{"its input is left out"};
  FoldedTensor result = *source.input(0);
  ASSIGN_OR_RETURN(std::vector<int> where, axes(source, static_cast<int>(result.shape.size())));
  for (std::size_t d = 0; where.empty() && d < result.shape.size(); ++d) {
    if (result.shape[d] == 1) where.push_back(static_cast<int>(d));
  }
  where.erase(std::unique(where.begin(), where.end()), where.end());
  for (std::size_t i = where.size(); i-- > 0;) {
    if (result.shape[where[i]] != 1) return Error{"it drops an axis of several values"};
    result.shape.erase(result.shape.begin() + where[i]);
  }
  return result;
}

Result<FoldedTensor> transpose(const FoldSource& source) {
  if (!source.input(0)) return Error{"its input is left out"};
  const FoldedTensor& from = *source.input(0);
  const std::vector<std::int64_t> order = Attributes(source.node).list("perm");
  const std::vector<std::size_t> strides = strides_of(from.shape);
  std::vector<int> shape;
  std::vector<std::size_t> turned;
  std::vector<bool> seen(from.shape.size(), false);
  for (std::size_t d = 0; d < from.shape.size(); ++d) {
    const std::int64_t axis = order.empty()      ? static_cast<std::int64_t>(from.shape.size() - 1 - d)
                              : d < order.size() ? order[d]
                                                 : -1;
    if (axis < 0 || axis >= static_cast<std::int64_t>(from.shape.size()) || seen[axis]) {
      return Error{"its order is no permutation"};
    }
    seen[axis] = true;
    shape.push_back(from.shape[axis]);
    turned.push_back(strides[axis]);
  }
  return gathered(from, std::move(shape), turned);
}

Result<FoldedTensor> gather(const FoldSource& source) {
  if (!source.input(0) || !source.input(1)) return Error{"an input of it is left out"};
  const FoldedTensor& from = *source.input(0);
  if (from.shape.size() != 1) return Error{"it gathers from more than a list"};
  ASSIGN_OR_RETURN(const auto indices, whole_numbers(*source.input(1)));
  FoldedTensor result{.shape = source.input(1)->shape, .values = {}, .type = from.type};
  for (const int index : indices) {
    ASSIGN_OR_RETURN(const int at, axis_of(index, from.shape[0]));
    result.values.push_back(from.values[at]);
  }
  return result;
}

Result<FoldedTensor> slice(const FoldSource& source) {
  if (!source.input(0) || source.input(0)->shape.size() != 1)
    return Error{"it takes a part of more than a list"};
  Attributes attributes(source.node);
  std::vector<std::int64_t> starts = attributes.list("starts"), ends = attributes.list("ends");
  if (source.input(1) && source.input(2)) {
    const auto first = to_integers(*source.input(1)), last = to_integers(*source.input(2));
    if (first.size() == 1 && last.size() == 1 && first[0] && last[0]) starts = {*first[0]}, ends = {*last[0]};
  }
  const auto step =
      source.input(4) ? to_integers(*source.input(4)) : std::vector<std::optional<std::int64_t>>{1};
  if (starts.size() != 1 || ends.size() != 1 || step.size() != 1 || step[0] != 1) {
    return Error{"it does not take one run of a list"};
  }
  const std::int64_t size = source.input(0)->shape[0];
  const auto place = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size);
  };
  const auto begin = source.input(0)->values.begin();
  const std::int64_t from = place(starts[0]), to = std::max(from, place(ends[0]));
  return vector_of({begin + from, begin + to}, source.input(0)->type);
}

Result<FoldedTensor> concat(const FoldSource& source) {
  std::vector<double> values;
  for (const FoldedTensor* input : source.inputs) {
    if (input == nullptr || input->shape.size() != 1) return Error{"it joins more than lists"};
    values.insert(values.end(), input->values.begin(), input->values.end());
  }
  return vector_of(std::move(values),
                   source.inputs.empty() ? FoldedTensor::Type::integer : source.inputs[0]->type);
}

Result<FoldedTensor> constant_of_shape(const FoldSource& source) {
  if (!source.input(0)) return Error{"its input is left out"};
  ASSIGN_OR_RETURN(const std::vector<int> shape, whole_numbers(*source.input(0)));
  for (const int size : shape) {
    if (size < 0) return Error{"its shape is impossible"};
  }
  if (count(shape) > source.most_values)
    return Error{"it makes more values than the file has; write it anew with concertina-train import"};
  FoldedTensor made{.shape = shape, .values = {}};
  double value = 0;
  for (const onnx::AttributeProto& attribute : source.node.attribute()) {
    if (attribute.name() != "value" || !attribute.has_t()) continue;
    ASSIGN_OR_RETURN(const FoldedTensor given, read_folded({&attribute.t(), attribute.t().raw_data()}));
    if (given.values.size() != 1) return Error{"its value is not one number"};
    value = given.values[0];
    made.type = given.type;
  }
  made.values.assign(static_cast<std::size_t>(count(shape)), value);
  return made;
}

Result<FoldedTensor> cast(const FoldSource& source) {
  if (!source.input(0)) return Error{"its input is left out"};
  FoldedTensor result = *source.input(0);
  switch (Attributes(source.node).integer("to", 1)) {
    case onnx::TensorProto::FLOAT:
    case onnx::TensorProto::FLOAT16:
    case onnx::TensorProto::BFLOAT16:
      result.type = FoldedTensor::Type::float32;
      break;
    case onnx::TensorProto::DOUBLE:
      result.type = FoldedTensor::Type::float64;
      break;
    case onnx::TensorProto::INT32:
    case onnx::TensorProto::INT64:
      result.type = FoldedTensor::Type::integer;
      break;
    default:
      return Error{"it casts to a type that is not computed with"};
  }
  for (double& value : result.values) value = rounded(value, result.type);
  return result;
}

Result<FoldedTensor> product_of_all(const FoldSource& source) {
  if (!source.input(0) || source.input(0)->shape.size() != 1 ||
      Attributes(source.node).integer("keepdims", 1) == 1) {
    return Error{"it multiplies something else than a list to one number"};
  }
  if (has_unknown(*source.input(0))) return Error{"it computes with the size of the batch"};
  double product = 1;
  for (const double value : source.input(0)->values) product *= value;
  return FoldedTensor{.shape = {}, .values = {product}, .type = source.input(0)->type};
}

Result<std::vector<int>> broadcast(std::span<const int> a, std::span<const int> b) {
  std::vector<int> shape(std::max(a.size(), b.size()), 1);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const int of_a = d < a.size() ? a[a.size() - 1 - d] : 1, of_b = d < b.size() ? b[b.size() - 1 - d] : 1;
    if (of_a != of_b && of_a != 1 && of_b != 1) return Error{"its inputs do not fit together"};
    shape[shape.size() - 1 - d] = of_a == 1 ? of_b : of_a;
  }
  return shape;
}

std::vector<std::size_t> spread_strides(std::span<const int> from, std::size_t rank) {
  const std::vector<std::size_t> strides = strides_of(from);
  std::vector<std::size_t> spread(rank, 0);
  for (std::size_t d = 0; d < from.size(); ++d) {
    if (from[d] > 1) spread[rank - from.size() + d] = strides[d];
  }
  return spread;
}

template <typename Function>
Result<FoldedTensor> binary(const FoldSource& source) {
  if (!source.input(0) || !source.input(1)) return Error{"an input of it is left out"};
  const FoldedTensor &a = *source.input(0), &b = *source.input(1);
  ASSIGN_OR_RETURN(std::vector<int> shape, broadcast(a.shape, b.shape));
  if (count(shape) > source.most_values)
    return Error{"it makes more values than the file has; write it anew with concertina-train import"};
  if (has_unknown(a) || has_unknown(b)) return Error{"it computes with the size of the batch"};
  FoldedTensor result = gathered(a, shape, spread_strides(a.shape, shape.size()));
  const FoldedTensor other = gathered(b, shape, spread_strides(b.shape, shape.size()));
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    result.values[i] = rounded(Function()(result.values[i], other.values[i]), a.type);
  }
  return result;
}

template <double (*function)(double)>
Result<FoldedTensor> unary(const FoldSource& source) {
  if (!source.input(0)) return Error{"its input is left out"};
  FoldedTensor result = *source.input(0);
  for (double& value : result.values) value = rounded(function(value), result.type);
  return result;
}

double negative(double x) {
  return -x;
}
double inverse(double x) {
  return 1 / x;
}
double root(double x) {
  return std::sqrt(x);
}
double below(double x) {
  return std::floor(x);
}
double above(double x) {
  return std::ceil(x);
}

constexpr struct {
  std::string_view type;
  Result<FoldedTensor> (*fold)(const FoldSource&);
} kFolders[] = {{"Add", binary<std::plus<>>},
                {"Cast", cast},
                {"Ceil", unary<above>},
                {"Concat", concat},
                {"ConstantOfShape", constant_of_shape},
                {"Div", binary<std::divides<>>},
                {"Floor", unary<below>},
                {"Gather", gather},
                {"Mul", binary<std::multiplies<>>},
                {"Neg", unary<negative>},
                {"Reciprocal", unary<inverse>},
                {"ReduceProd", product_of_all},
                {"Reshape", reshape},
                {"Slice", slice},
                {"Sqrt", unary<root>},
                {"Squeeze", squeeze},
                {"Sub", binary<std::minus<>>},
                {"Transpose", transpose},
                {"Unsqueeze", unsqueeze}};

template <typename T>
std::vector<double> read_raw(std::string_view raw) {
  std::vector<double> values(raw.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint64_t bits = 0;
    for (std::size_t b = 0; b < sizeof(T); ++b) {
      bits |= std::uint64_t{static_cast<unsigned char>(raw[i * sizeof(T) + b])} << 8 * b;
    }
    if constexpr (std::is_same_v<T, std::int64_t> || std::is_same_v<T, double>) {
      values[i] = static_cast<double>(std::bit_cast<T>(bits));
    } else if constexpr (std::is_same_v<T, bool>) {
      values[i] = bits != 0 ? 1 : 0;
    } else if constexpr (std::is_same_v<T, std::uint16_t>) {
      values[i] = static_cast<double>(bits);
    } else {
      values[i] = static_cast<double>(std::bit_cast<T>(static_cast<std::uint32_t>(bits)));
    }
  }
  return values;
}

/// 16-bit floats by their bits: in raw bytes, or each in an integer of the list.
template <typename List>
std::vector<double> read_halves(const TensorView& view, const List& list, float (*value)(std::uint16_t)) {
  std::vector<double> values;
  for (const double bits : view.raw_data.empty() ? std::vector<double>(list.begin(), list.end())
                                                 : read_raw<std::uint16_t>(view.raw_data)) {
    values.push_back(value(static_cast<std::uint16_t>(static_cast<std::int32_t>(bits))));
  }
  return values;
}

/// IEEE 754: 1 bit of sign, 5 of exponent, 10 of fraction.
float from_float16(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float sign = bits >> 15 == 0 ? 1.0F : -1.0F;
  if (exponent == 31) return fraction == 0 ? sign * std::numeric_limits<float>::infinity() : std::nanf("");
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

/// The upper half of a 32-bit float.
float from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

template <typename T, typename List>
std::vector<double> read_list(const TensorView& view, const List& list) {
  if (!view.raw_data.empty()) return read_raw<T>(view.raw_data);
  return {list.begin(), list.end()};
}

}  // namespace

Result<FoldedTensor> read_folded(const TensorView& view) {
  const onnx::TensorProto& tensor = *view.proto;
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    return Error{"its values are in another file"};
  }
  FoldedTensor folded;
  for (const std::int64_t size : tensor.dims()) {
    if (size < 0 || size > kMaxSize) return Error{fmt::format("its size {} is out of range", size)};
    folded.shape.push_back(static_cast<int>(size));
  }
  switch (tensor.data_type()) {
    case onnx::TensorProto::FLOAT:
      folded.values = read_list<float>(view, tensor.float_data());
      break;
    case onnx::TensorProto::FLOAT16:
      folded.values = read_halves(view, tensor.int32_data(), from_float16);
      break;
    case onnx::TensorProto::BFLOAT16:
      folded.values = read_halves(view, tensor.int32_data(), from_bfloat16);
      break;
    case onnx::TensorProto::DOUBLE:
      folded.type = FoldedTensor::Type::float64;
      folded.values = read_list<double>(view, tensor.double_data());
      break;
    case onnx::TensorProto::INT32:
      folded.type = FoldedTensor::Type::integer;
      folded.values = read_list<std::int32_t>(view, tensor.int32_data());
      break;
    case onnx::TensorProto::INT64:
      folded.type = FoldedTensor::Type::integer;
      folded.values = read_list<std::int64_t>(view, tensor.int64_data());
      break;
    case onnx::TensorProto::BOOL:
      folded.type = FoldedTensor::Type::integer;
      folded.values = read_list<bool>(view, tensor.int32_data());
      break;
    default:
      return Error{fmt::format("its data type is number {}, which is not read", tensor.data_type())};
  }
  if (static_cast<std::int64_t>(folded.values.size()) != count(folded.shape)) {
    return Error{fmt::format("it holds {} values, which do not fill its shape", folded.values.size())};
  }
  return folded;
}

Array to_array(const FoldedTensor& tensor) {
  Array array{.shape = tensor.shape, .values = {}};
  array.values.reserve(tensor.values.size());
  for (const double value : tensor.values) array.values.push_back(static_cast<float>(value));
  return array;
}

std::vector<std::optional<std::int64_t>> to_integers(const FoldedTensor& tensor) {
  constexpr double kLimit = 9e18;
  std::vector<std::optional<std::int64_t>> integers;
  for (const double value : tensor.values) {
    const bool whole = value == std::trunc(value);  // not if it is NaN
    integers.push_back(whole ? std::optional(static_cast<std::int64_t>(std::clamp(value, -kLimit, kLimit)))
                             : std::nullopt);
  }
  return integers;
}

Result<FoldedTensor> fold(const onnx::NodeProto& node, std::span<const FoldedTensor* const> inputs,
                          std::int64_t most_values) {
  for (const auto& folder : kFolders) {
    if (folder.type != node.op_type()) continue;
    ASSIGN_OR_RETURN(FoldedTensor result, folder.fold({node, inputs, most_values}));
    if (static_cast<std::int64_t>(result.values.size()) > most_values) {
      return Error{"it makes more values than the file has; write it anew with concertina-train import"};
    }
    return result;
  }
  return Error{"all its inputs are constants, and this op is not computed beforehand"};
}

}  // namespace concertina::onnx
