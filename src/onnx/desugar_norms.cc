#include <fmt/format.h>

#include "base/try.h"
#include "onnx/attributes.h"
#include "onnx/desugar_source.h"
#include "onnx/layout_from_onnx.h"

namespace concertina::onnx {
namespace {

/// A constant of one number for each of so many groups of channels, as one for each channel.
Result<Array> by_channel(const DesugarSource& source, std::size_t i, int groups, int channels) {
  if (i >= source.constants.size() || source.constants[i].left_out())
    return Error{"a constant input that it needs is left out"};
  ASSIGN_OR_RETURN(const auto sizes, source.constants[i].sizes(1));
  if (sizes[0] != groups)
    return Error{fmt::format("its constant has {} numbers, not one for each of {}", sizes[0], groups)};
  ASSIGN_OR_RETURN(const Array given, source.constants[i].floats());
  Array array{.shape = {channels}, .values = {}};
  for (int c = 0; c < channels; ++c)
    array.values.push_back(given.values[static_cast<std::size_t>(c / (channels / groups))]);
  return array;
}

Status check_one_value(const DesugarSource& source) {
  return source.values.size() == 1 && !source.values[0].spread
             ? Status()
             : Status(Error{"it reads the wrong number of values"});
}

op::GroupNorm norm_of(const OnnxValue& value, Attributes& attributes) {
  op::GroupNorm norm;
  norm.channels = value.shape.channels;
  norm.epsilon = attributes.real("epsilon", 1e-5F);
  return norm;
}

/// `groups` of the constants; the value's layout stays.
Status add_norm(const DesugarSource& source, const op::GroupNorm& norm, int groups) {
  ASSIGN_OR_RETURN(Array weight, by_channel(source, 0, groups, norm.channels));
  ASSIGN_OR_RETURN(Array bias, by_channel(source, 1, groups, norm.channels));
  return source.assembly.add_in_layout(source.node, {norm, {std::move(weight), std::move(bias)}},
                                       source.values);
}

/// By the axes of the means.
Result<op::GroupNorm> norm_over(const View& view, const Shape& shape, const std::vector<std::int64_t>& axes) {
  const int rank = static_cast<int>(view.sizes().size()) + 1;
  ASSIGN_OR_RETURN(const std::vector<int> dimensions, placed_axes(axes, rank));
  op::GroupNorm op;
  op.channels = shape.channels;
  const auto whole = view.whole_axes(dimensions);
  const auto groups = view.leading_groups();
  if (whole && whole->channels && shape.channels > 1) {
    const bool pixels = (whole->rows && shape.height > 1) || (whole->columns && shape.width > 1);
    op.group = 0;
    op.by_pixel = !pixels;
    if (!pixels || (whole->rows && whole->columns)) return op;
  } else if (whole && whole->rows && whole->columns) {
    return op;
  } else if (groups && static_cast<int>(dimensions.size()) == rank - 2 && dimensions[0] == 1) {
    op.group = shape.channels / *groups;
    return op;
  }
  return Error{"it normalises something else than channels, groups of them, pixels, or a whole map"};
}

}  // namespace

/// Of a map, or of its channels in groups, as exporters without a group norm write one.
Status read_instance_norm(const DesugarSource& source) {
  RETURN_IF_ERROR(check_one_value(source));
  const OnnxValue& value = source.values[0];
  Attributes attributes(source.node);
  op::GroupNorm norm = norm_of(value, attributes);
  RETURN_IF_ERROR(attributes.done());
  const auto groups = value.view.leading_groups();
  if (value.rank != 4 || !groups)
    return Error{"it normalises something else than channels or groups of them"};
  norm.group = *groups == 1 ? 0 : norm.channels / *groups;
  return add_norm(source, norm, *groups);
}

/// Its scale is by group up to operator set 20, by channel since.
Status read_group_norm(const DesugarSource& source) {
  RETURN_IF_ERROR(check_one_value(source));
  RETURN_IF_ERROR(settled(source));
  const OnnxValue& value = source.values[0];
  Attributes attributes(source.node);
  op::GroupNorm norm = norm_of(value, attributes);
  const int groups = attributes.integer("num_groups", 0, 1);
  attributes.ignore("stash_type");
  RETURN_IF_ERROR(attributes.done());
  if (value.rank != 4 || groups < 1 || norm.channels % groups != 0)
    return Error{fmt::format("its {} groups do not divide {} channels of a map", groups, norm.channels)};
  norm.group = groups == 1 ? 0 : norm.channels / groups;
  return add_norm(source, norm, source.operator_set < 21 ? groups : norm.channels);
}

/// Over the channels of each pixel, which come last.
Status read_layer_norm(const DesugarSource& source) {
  RETURN_IF_ERROR(check_one_value(source));
  const OnnxValue& value = source.values[0];
  const auto dimensions = static_cast<int>(value.view.sizes().size());
  Attributes attributes(source.node);
  op::GroupNorm norm = norm_of(value, attributes);
  norm.group = 0;
  norm.by_pixel = true;
  const int axis = attributes.integer("axis", -1, -8);
  attributes.ignore("stash_type");
  RETURN_IF_ERROR(attributes.done());
  if ((axis != -1 && axis != dimensions) || value.view.channel_dimension() != dimensions - 1)
    return Error{"it normalises something else than the channels of each pixel"};
  if (source.constants.size() < 2 || source.constants[1].left_out()) {
    ASSIGN_OR_RETURN(Array weight, by_channel(source, 0, norm.channels, norm.channels));
    Array none{.shape = {norm.channels}, .values = std::vector<float>(weight.values.size())};
    return source.assembly.add_in_layout(source.node, {norm, {std::move(weight), std::move(none)}},
                                         source.values);
  }
  return add_norm(source, norm, norm.channels);
}

Status read_norm_in_parts(GraphAssembly& assembly, const onnx::NodeProto& last, const NormInParts& norm) {
  const OnnxValue* value = assembly.find_value(norm.x);
  if (!value || value->spread) return Error{"it normalises something else than a value"};
  ASSIGN_OR_RETURN(op::GroupNorm op, norm_over(value->view, value->shape, norm.axes));
  op.epsilon = norm.epsilon;
  std::vector<Constant> constants(2);
  const std::string* names[] = {&norm.weight, &norm.bias};
  OpWithArrays read{op, {}};
  for (std::size_t i = 0; i < constants.size(); ++i) {
    const Constant* constant = assembly.find_constant(*names[i]);
    if (constant) {
      constants[i] = *constant;
      ASSIGN_OR_RETURN(read.arrays.emplace_back(), per_channel(*value, *constant));
    } else {
      const auto channels = static_cast<std::size_t>(op.channels);
      read.arrays.push_back(
          {.shape = {op.channels}, .values = std::vector<float>(channels, i == 0 ? 1.0F : 0.0F)});
    }
  }
  assembly.take_from(constants);
  return assembly.add_in_layout(last, std::move(read), {*value});
}

}  // namespace concertina::onnx
