#include "graph/ops/conv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "base/try.h"

namespace concertina::op {
namespace {

constexpr std::int64_t kMaxLine = std::int64_t{1} << 24;

/// What ONNX can say of one direction of a transposed convolution. extent: of its window.
bool fits_transposed(int pad_before, int pad_after, std::int64_t extent, int dilation, int input_dilation) {
  return pad_before < extent && pad_after - extent < std::max(dilation, input_dilation) - 1;
}

Status check_transposed(const Conv& conv, const Shape& input) {
  const Window& w = conv.window;
  if (conv.input_dilation_h < 1 || conv.input_dilation_w < 1) return Error{"its stride must be at least 1"};
  if (w.stride_h != 1 || w.stride_w != 1) return Error{"it is transposed and leaves out pixels, too"};
  if (std::int64_t{input.height} * conv.input_dilation_h > kMaxLine ||
      std::int64_t{input.width} * conv.input_dilation_w > kMaxLine) {
    return Error{"its output is too large"};
  }
  if (!fits_transposed(w.pad_top, w.pad_bottom, w.extent_h(), w.dilation_h, conv.input_dilation_h) ||
      !fits_transposed(w.pad_left, w.pad_right, w.extent_w(), w.dilation_w, conv.input_dilation_w)) {
    return Error{"it makes rows or columns that its window does not reach"};
  }
  return {};
}

}  // namespace

Result<Shape> Conv::output_shape(std::span<const Shape> inputs) const {
  if (inputs[0].channels != in_channels) {
    return Error{
        fmt::format("its weights expect {} input channels, but {} arrive", in_channels, inputs[0].channels)};
  }
  if (out_channels < 1) return Error{"it has no output channels"};
  if (groups < 1 || in_channels % groups != 0 || out_channels % groups != 0) {
    return Error{fmt::format("{} groups do not divide {} input and {} output channels", groups, in_channels,
                             out_channels)};
  }
  if (transposed()) RETURN_IF_ERROR(check_transposed(*this, inputs[0]));
  auto shape = window.slide_over(dilated(inputs[0]));
  if (shape) shape->channels = out_channels;
  return shape;
}

ChannelAxis Conv::output_channels(const ChannelContext& context) const {
  if (depthwise()) {
    ChannelAxis axis = context.inputs[0];
    for (Segment& segment : axis) segment.repeat *= out_channels / in_channels;
    context.analysis.reproduce(axis, context.node,
                               fmt::format("'{}' is depthwise: its channels are its input's", context.name));
    return axis;
  }
  if (groups > 1) {
    return context.analysis.regroup(context.inputs[0], in_channels / groups, out_channels / groups,
                                    context.node);
  }
  return context.analysis.produce(context.node, out_channels);
}

std::vector<Parameter> Conv::parameters() const {
  constexpr auto kOutput = ParameterAxis::output_channels;
  constexpr auto kFixed = ParameterAxis::fixed;
  std::vector<Parameter> list = {
      {.name = "weight",
       .shape = {out_channels, in_channels / groups, window.kernel_h, window.kernel_w},
       .axes = {kOutput, groups == 1 ? ParameterAxis::input_channels : kFixed, kFixed, kFixed}}};
  if (bias) list.push_back({.name = "bias", .shape = {out_channels}, .axes = {kOutput}});
  return list;
}

std::int64_t Conv::macs(const Shape& input, const Shape& output) const {
  const std::int64_t group_channels = groups == 1 ? input.channels : in_channels / groups;
  const Shape& pixels = transposed() ? input : output;  // the zeros between pixels cost nothing
  return std::int64_t{output.channels} * pixels.height * pixels.width * group_channels * window.taps();
}

}  // namespace concertina::op
