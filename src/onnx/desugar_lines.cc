#include <fmt/format.h>

#include "base/try.h"
#include "onnx/attributes.h"
#include "onnx/desugar_source.h"
#include "onnx/tensor.h"

/// A filter that moves along the channels of one pixel, as in efficient channel attention (Wang 2020).
namespace concertina::onnx {
namespace {

struct Line {
  int taps = 1, dilation = 1, before = 0;
};

/// Fails unless it makes as many values as it reads.
Result<Line> line_of(const DesugarSource& source, int taps) {
  Attributes attributes(source.node);
  const std::vector<int> size = attributes.integers("kernel_shape", {taps}, 1);
  const std::vector<int> pads =
      attributes.list("pads").empty() ? std::vector{0, 0} : attributes.integers("pads", {0, 0}, 0);
  const std::vector<int> dilations = attributes.integers("dilations", {1}, 1);
  attributes.expect("group", 1, 1);
  const std::vector<int> strides = attributes.integers("strides", {1}, 1);
  const std::string automatic = attributes.text("auto_pad", "NOTSET");
  RETURN_IF_ERROR(attributes.done());
  const std::int64_t extent = std::int64_t{dilations[0]} * (taps - 1);
  if (size[0] != taps || strides[0] != 1 || automatic != "NOTSET" ||
      pads[0] + std::int64_t{pads[1]} != extent)
    return Error{"it is a filter along channels that makes another number of them"};
  return Line{taps, dilations[0], pads[0]};
}

/// weight [out][in] of the linear layer that does the same.
Array matrix_of(const Line& line, const std::vector<float>& taps, int channels) {
  const auto size = static_cast<std::size_t>(channels);
  Array matrix{.shape = {channels, channels}, .values = std::vector<float>(size * size)};
  for (std::int64_t out = 0; out < channels; ++out) {
    for (std::int64_t tap = 0; tap < line.taps; ++tap) {
      const std::int64_t in = out + tap * line.dilation - line.before;
      if (in >= 0 && in < channels)
        matrix.values[static_cast<std::size_t>(out * channels + in)] = taps[static_cast<std::size_t>(tap)];
    }
  }
  return matrix;
}

}  // namespace

Result<bool> read_line_conv(const DesugarSource& source) {
  if (source.constants.empty() || !source.constants[0].sizes(3)) return false;
  const OnnxValue& value = source.values[0];
  const std::vector<int> sizes = value.view.sizes();
  const int channels = value.shape.channels;
  const bool pixel = value.shape.height == 1 && value.shape.width == 1 && !value.spread;
  if (!pixel || sizes != std::vector{1, channels} || value.view.channel_dimension() != 1) {
    return Error{
        "it is a convolution of a line of values, N x C x L; only those along the channels of one pixel are read, "
        "so write the network with maps of one row, N x C x 1 x L"};
  }
  ASSIGN_OR_RETURN(const std::vector<int> shape, source.constants[0].sizes(3));
  if (shape[0] != 1 || shape[1] != 1) return Error{"it makes several values of each channel"};
  ASSIGN_OR_RETURN(const Line line, line_of(source, shape[2]));
  if (std::int64_t{channels} * channels > source.assembly.values_left())
    return Error{"it makes more values than the file has; write it anew with concertina-train import"};
  ASSIGN_OR_RETURN(const Array taps, source.constants[0].floats());
  op::Linear linear;
  linear.in_features = linear.out_features = channels;
  linear.bias = source.constants.size() > 1 && !source.constants[1].left_out();
  OpWithArrays read{linear, {matrix_of(line, taps.values, channels)}};
  if (linear.bias) {
    ASSIGN_OR_RETURN(const double bias, source.constants[1].scalar());
    read.arrays.push_back(
        {.shape = {channels},
         .values = std::vector<float>(static_cast<std::size_t>(channels), static_cast<float>(bias))});
  }
  OnnxValue vector = value;
  if (value.rank == 4) {
    const std::string flat = source.assembly.hidden_name(source.name() + ".flatten");
    RETURN_IF_ERROR(source.assembly.add_op(source.name() + ".flatten", {op::Flatten{}, {}}, {value}, flat));
    vector = *source.assembly.find_value(flat);
  }
  source.assembly.take_from({});
  source.assembly.add_untied(fmt::format(
      "'{}' is a filter along channels and becomes a matrix of {} x {}, whose numbers are trained one by one",
      source.name(), channels, channels));
  const std::string hidden = source.assembly.hidden_name(source.name());
  RETURN_IF_ERROR(source.assembly.add_op(source.name(), std::move(read), {vector}, hidden));
  OnnxValue made = *source.assembly.find_value(hidden);
  ASSIGN_OR_RETURN(made.view, made.view.reshaped(sizes));
  RETURN_IF_ERROR(source.assembly.settle(source.node, std::move(made)));
  return true;
}

}  // namespace concertina::onnx
