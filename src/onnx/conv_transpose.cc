#include "onnx/conv_transpose.h"

#include <fmt/format.h>

#include <utility>

#include "base/try.h"
#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

/// One direction of the node: what it cuts off before and after, and what it adds after.
struct Cut {
  std::int64_t size, stride, extent;
  std::int64_t before, after, added;
};

/// What has to be cut off for `wanted` outputs; an odd pixel goes to one side.
void cut_to(std::int64_t wanted, bool more_after, Cut& line) {
  const std::int64_t cut = line.stride * (line.size - 1) + line.extent + line.added - wanted;
  line.before = cut <= 0 ? 0 : more_after ? cut / 2 : cut - cut / 2;
  line.after = cut - line.before;
}

/// The padding around the dilated input that a window needs to make the same.
Status set_padding(const Cut& line, int& before, int& after) {
  const std::int64_t reach = line.extent - 1;
  if (line.before > reach || line.after - line.added > reach)
    return Error{"it cuts off more than its window reaches, which is not supported"};
  before = static_cast<int>(reach - line.before);
  after = static_cast<int>(reach - line.after + line.added);
  return {};
}

}  // namespace

Result<OpWithArrays> read_conv_transpose(const OpSource& source) {
  ASSIGN_OR_RETURN(const auto sizes, source.constants[0].sizes(4));
  Attributes attributes(source.node);
  op::Conv conv;
  conv.groups = attributes.integer("group", 1, 1);
  const std::int64_t out_channels = std::int64_t{sizes[1]} * conv.groups;
  if (out_channels > kMaxSize || sizes[0] % conv.groups != 0)
    return Error{fmt::format("{} groups do not divide its {} input channels", conv.groups, sizes[0])};
  conv.in_channels = sizes[0];
  conv.out_channels = static_cast<int>(out_channels);
  conv.bias = has(source, 1);
  ASSIGN_OR_RETURN(conv.window, read_window(attributes, {sizes[2], sizes[3]}, source.values[0]));
  const std::vector<int> added = attributes.integers("output_padding", {0, 0}, 0);
  const std::vector<int> wanted = attributes.integers("output_shape", {0, 0}, 1);
  const std::string padding = attributes.text("auto_pad", "NOTSET");
  RETURN_IF_ERROR(attributes.done());
  const Shape& shape = source.values[0];
  Window& w = conv.window;
  Cut rows{shape.height, w.stride_h, w.extent_h(), w.pad_top, w.pad_bottom, added[0]};
  Cut columns{shape.width, w.stride_w, w.extent_w(), w.pad_left, w.pad_right, added[1]};
  const bool listed = wanted[0] > 0, same = padding.starts_with("SAME");
  if (listed || same) {
    cut_to(listed ? wanted[0] : rows.size * rows.stride, padding == "SAME_UPPER", rows);
    cut_to(listed ? wanted[1] : columns.size * columns.stride, padding == "SAME_UPPER", columns);
  }
  conv.input_dilation_h = std::exchange(w.stride_h, 1);
  conv.input_dilation_w = std::exchange(w.stride_w, 1);
  RETURN_IF_ERROR(set_padding(rows, w.pad_top, w.pad_bottom));
  RETURN_IF_ERROR(set_padding(columns, w.pad_left, w.pad_right));
  OpWithArrays read{conv};
  ASSIGN_OR_RETURN(const Array weight, source.constants[0].floats());
  read.arrays.push_back(transposed_filters(weight, conv.groups));
  if (!conv.bias) return read;
  ASSIGN_OR_RETURN(read.arrays.emplace_back(), source.constants[1].floats());
  return read;
}

Array transposed_filters(const Array& weight, int groups) {
  const auto size = [&](std::size_t i) { return static_cast<std::size_t>(weight.shape[i]); };
  const std::size_t taps = size(2) * size(3), columns = size(1),
                    rows = size(0) / static_cast<std::size_t>(groups);
  Array turned{
      .shape = {weight.shape[1] * groups, weight.shape[0] / groups, weight.shape[2], weight.shape[3]},
      .values = std::vector<float>(weight.values.size())};
  for (std::size_t i = 0; i < weight.values.size(); ++i) {
    const std::size_t tap = i % taps, column = i / taps % columns, row = i / taps / columns;
    const std::size_t group = row / rows, filter = group * columns + column;
    turned.values[(filter * rows + row % rows) * taps + taps - 1 - tap] = weight.values[i];
  }
  return turned;
}

}  // namespace concertina::onnx
