#pragma once

#include "graph/ops/elementwise.h"
#include "graph/ops/window.h"

namespace concertina::op {

/// 2-D convolution. weight [out_channels][in_channels / groups][kernel_h][kernel_w], bias [out_channels]. If
/// it has groups, they are what its input and its output lose.
///
/// A transposed convolution is one over a dilated input: its window slides over the input's pixels with zeros
/// between them. Its filters are those of ONNX's ConvTranspose, turned by half a circle.
struct Conv : Elementwise {
  static constexpr std::string_view kType = "Conv";

  int in_channels = 0;
  int out_channels = 0;
  Window window;
  int groups = 1;
  bool bias = false;
  int input_dilation_h = 1, input_dilation_w = 1;  ///< from one pixel of the input to the next

  /// Each output channel sees one input channel.
  bool depthwise() const { return groups > 1 && groups == in_channels; }
  bool transposed() const { return input_dilation_h != 1 || input_dilation_w != 1; }

  /// The map that its window slides over.
  Shape dilated(const Shape& input) const {
    return {input.channels, (input.height - 1) * input_dilation_h + 1,
            (input.width - 1) * input_dilation_w + 1};
  }

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;
  std::vector<Parameter> parameters() const;
  std::int64_t macs(const Shape& input, const Shape& output) const;
  void resize(const ActiveFeatures& active) {
    if (groups > 1) groups = active.in / (in_channels / groups);
    in_channels = active.in;
    out_channels = active.out;
  }

  friend bool operator==(const Conv&, const Conv&) = default;
};

}  // namespace concertina::op
