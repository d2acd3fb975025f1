#include "onnx/folding.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/try.h"
#include "onnx/attributes.h"
#include "onnx/fold_source.h"
#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

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

Result<FoldedTensor> flatten(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 1));
  FoldedTensor result = *source.input(0);
  const int rank = static_cast<int>(result.shape.size()),
            axis = Attributes(source.node).integer("axis", 1, -16);
  if (axis < -rank || axis > rank) return Error{fmt::format("its axis {} is none of {}", axis, rank)};
  const auto before = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
  const std::int64_t rows = count(std::span(result.shape).first(before)),
                     columns = count(std::span(result.shape).subspan(before));
  if (std::max(rows, columns) > kMaxSize) return Error{"its result is too large"};
  result.shape = {static_cast<int>(rows), static_cast<int>(columns)};
  return result;
}

/// Of each axis, the places that are listed for it.
FoldedTensor taken(const FoldedTensor& from, const std::vector<std::vector<int>>& places) {
  const std::vector<std::size_t> strides = strides_of(from.shape);
  std::vector<std::size_t> offsets = {0};
  FoldedTensor result{.shape = {}, .values = {}, .type = from.type};
  for (std::size_t d = 0; d < places.size(); ++d) {
    std::vector<std::size_t> longer;
    for (const std::size_t begin : offsets) {
      for (const int place : places[d])
        longer.push_back(begin + static_cast<std::size_t>(place) * strides[d]);
    }
    offsets = std::move(longer);
    result.shape.push_back(static_cast<int>(places[d].size()));
  }
  for (const std::size_t offset : offsets) result.values.push_back(from.values[offset]);
  return result;
}

/// All places of each axis.
std::vector<std::vector<int>> all_places(std::span<const int> shape) {
  std::vector<std::vector<int>> places;
  for (const int size : shape) {
    std::vector<int>& axis = places.emplace_back(static_cast<std::size_t>(size));
    std::iota(axis.begin(), axis.end(), 0);
  }
  return places;
}

Result<FoldedTensor> gather(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 2));
  const FoldedTensor &from = *source.input(0), &indices = *source.input(1);
  ASSIGN_OR_RETURN(const int axis, axis_of(Attributes(source.node).integer("axis", 0, -16),
                                           static_cast<int>(from.shape.size())));
  ASSIGN_OR_RETURN(std::vector<int> wanted, whole_numbers(indices));
  for (int& place : wanted) {
    ASSIGN_OR_RETURN(place, axis_of(place, from.shape[axis]));
  }
  const std::int64_t each = from.shape[axis] == 0 ? 0 : count(from.shape) / from.shape[axis];
  if (static_cast<std::int64_t>(wanted.size()) * each > source.most_values)
    return Error{"it makes more values than the file has; write it anew with concertina-train import"};
  std::vector<std::vector<int>> places = all_places(from.shape);
  places[axis] = std::move(wanted);
  FoldedTensor result = taken(from, places);
  result.shape.erase(result.shape.begin() + axis);
  result.shape.insert(result.shape.begin() + axis, indices.shape.begin(), indices.shape.end());
  return result;
}

/// Numbers from an attribute (before operator set 10) or from an input.
Result<std::vector<std::int64_t>> slice_list(const FoldSource& source, const char* name, std::size_t i) {
  if (!source.input(i)) return Attributes(source.node).list(name);
  std::vector<std::int64_t> list;
  for (const auto& number : to_integers(*source.input(i))) {
    if (!number) return Error{"it depends on the size of the batch"};
    list.push_back(*number);
  }
  return list;
}

/// The places from start on, before end.
std::vector<int> sliced(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t size) {
  const auto place = [&](std::int64_t at, std::int64_t least, std::int64_t most) {
    return std::clamp(at < 0 ? at + size : at, least, most);
  };
  std::vector<int> places;
  const std::int64_t first = step > 0 ? place(start, 0, size) : place(start, 0, size - 1);
  const std::int64_t last = step > 0 ? place(end, 0, size) : place(end, -1, size - 1);
  for (std::int64_t at = first; step > 0 ? at < last : at > last; at += step)
    places.push_back(static_cast<int>(at));
  return places;
}

Result<FoldedTensor> slice(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 1));
  const FoldedTensor& from = *source.input(0);
  ASSIGN_OR_RETURN(const auto starts, slice_list(source, "starts", 1));
  ASSIGN_OR_RETURN(const auto ends, slice_list(source, "ends", 2));
  ASSIGN_OR_RETURN(auto along, slice_list(source, "axes", 3));
  ASSIGN_OR_RETURN(auto steps, slice_list(source, "steps", 4));
  if (along.empty()) {
    along.resize(starts.size());
    std::iota(along.begin(), along.end(), 0);
  }
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (starts.empty() || ends.size() != starts.size() || along.size() != starts.size() ||
      steps.size() != starts.size())
    return Error{"its starts, ends, axes and steps do not fit together"};
  std::vector<std::vector<int>> places = all_places(from.shape);
  std::vector<bool> seen(places.size(), false);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    ASSIGN_OR_RETURN(const int axis, axis_of(along[i], static_cast<int>(from.shape.size())));
    const std::int64_t step = std::clamp<std::int64_t>(steps[i], -kMaxSize, kMaxSize);
    if (step == 0 || seen[axis]) return Error{"it has a step of 0, or lists an axis twice"};
    seen[axis] = true;
    places[axis] = sliced(starts[i], ends[i], step, from.shape[axis]);
  }
  return taken(from, places);
}

/// Each axis so many times over.
Result<FoldedTensor> tile(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, 2));
  const FoldedTensor& from = *source.input(0);
  ASSIGN_OR_RETURN(const std::vector<int> times, whole_numbers(*source.input(1)));
  if (times.size() != from.shape.size()) return Error{"its numbers of times do not fit its input"};
  std::vector<std::vector<int>> places = all_places(from.shape);
  std::int64_t values = 1;
  for (std::size_t d = 0; d < times.size(); ++d) {
    values = values * from.shape[d] * std::max(times[d], 0);
    if (values == 0) return Error{"it makes no values"};
    if (values > source.most_values)
      return Error{"it makes more values than the file has; write it anew with concertina-train import"};
    places[d].clear();
    for (int i = 0; i < times[d] * from.shape[d]; ++i) places[d].push_back(i % from.shape[d]);
  }
  return taken(from, places);
}

Result<FoldedTensor> concat(const FoldSource& source) {
  RETURN_IF_ERROR(check_inputs(source, std::max<std::size_t>(source.inputs.size(), 1)));
  const FoldedTensor& first = *source.input(0);
  ASSIGN_OR_RETURN(const int axis, axis_of(Attributes(source.node).integer("axis", 0, -16),
                                           static_cast<int>(first.shape.size())));
  FoldedTensor result{.shape = first.shape, .values = {}, .type = first.type};
  result.shape[axis] = 0;
  for (const FoldedTensor* input : source.inputs) {
    std::vector<int> shape = input->shape;
    if (shape.size() != result.shape.size()) return Error{"its inputs do not fit together"};
    result.shape[axis] += shape[axis];
    shape[axis] = result.shape[axis];
    if (shape != result.shape) return Error{"its inputs do not fit together"};
  }
  if (count(result.shape) > source.most_values)
    return Error{"it makes more values than the file has; write it anew with concertina-train import"};
  const auto outer = count(std::span(first.shape).first(static_cast<std::size_t>(axis)));
  for (std::int64_t i = 0; i < outer; ++i) {
    for (const FoldedTensor* input : source.inputs) {
      const std::ptrdiff_t run = static_cast<std::ptrdiff_t>(input->values.size()) / outer;
      const auto begin = input->values.begin() + i * run;
      result.values.insert(result.values.end(), begin, begin + run);
    }
  }
  return result;
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

constexpr struct {
  std::string_view type;
  Folder fold;
} kMoves[] = {{"Cast", cast},           {"Concat", concat},      {"ConstantOfShape", constant_of_shape},
              {"Flatten", flatten},     {"Gather", gather},      {"Reshape", reshape},
              {"Slice", slice},         {"Squeeze", squeeze},    {"Tile", tile},
              {"Transpose", transpose}, {"Unsqueeze", unsqueeze}};

Folder find_folder(std::string_view type) {
  for (const auto& folder : kMoves) {
    if (folder.type == type) return folder.fold;
  }
  return find_arithmetic(type);
}

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
    } else if constexpr (sizeof(T) < sizeof(std::uint32_t)) {
      values[i] = static_cast<double>(static_cast<T>(bits));
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
    case onnx::TensorProto::INT8:
      folded.type = FoldedTensor::Type::integer;
      folded.values = read_list<std::int8_t>(view, tensor.int32_data());
      break;
    case onnx::TensorProto::UINT8:
      folded.type = FoldedTensor::Type::integer;
      folded.values = read_list<std::uint8_t>(view, tensor.int32_data());
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
  const Folder folder = find_folder(node.op_type());
  if (!folder) return Error{"all its inputs are constants, and this op is not computed beforehand"};
  for (const FoldedTensor* input : inputs) {
    // Its other sizes could be anything.
    if (input && input->values.empty() && input->shape.size() > 1)
      return Error{"an input of it has no values"};
  }
  ASSIGN_OR_RETURN(FoldedTensor result, folder({node, inputs, most_values}));
  if (static_cast<std::int64_t>(result.values.size()) > most_values)
    return Error{"it makes more values than the file has; write it anew with concertina-train import"};
  return result;
}

}  // namespace concertina::onnx
