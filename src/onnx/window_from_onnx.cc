#include "onnx/window_from_onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

/// One direction of a window.
struct Line {
  std::int64_t size, extent, stride;
  int &before, &after;
};

/// As many outputs as there are strides in the input, rounded up; an odd pixel of padding goes to one side.
void pad_same(const Line& line, bool more_after) {
  const std::int64_t outputs = (line.size + line.stride - 1) / line.stride;
  const auto padding =
      static_cast<int>(std::max<std::int64_t>((outputs - 1) * line.stride + line.extent - line.size, 0));
  line.before = more_after ? padding / 2 : padding - padding / 2;
  line.after = padding - line.before;
}

/// The last window may hang over the end, if it begins inside.
void round_up(const Line& line) {
  const std::int64_t room = line.size + line.before + line.after - line.extent;
  if (room < 0) return;
  std::int64_t steps = (room + line.stride - 1) / line.stride;
  if (steps * line.stride >= line.size + line.before) --steps;
  line.after += static_cast<int>(std::max<std::int64_t>(steps * line.stride - room, 0));
}

}  // namespace

Result<Window> read_window(Attributes& attributes, const std::vector<int>& kernel, const Shape& input) {
  const std::vector<int> size = attributes.integers("kernel_shape", kernel, 1);
  const std::vector<int> strides = attributes.integers("strides", {1, 1}, 1);
  const std::vector<int> dilations = attributes.integers("dilations", {1, 1}, 1);
  const std::vector<int> pads = attributes.integers("pads", {0, 0, 0, 0}, 0);
  const std::string padding = attributes.text("auto_pad", "NOTSET");
  const bool rounds_up = attributes.integer("ceil_mode", 0) != 0;
  if (std::int64_t{size[0]} * size[1] > kMaxSize) return Error{"its window is too large"};
  Window window{.kernel_h = size[0],
                .kernel_w = size[1],
                .stride_h = strides[0],
                .stride_w = strides[1],
                .pad_top = pads[0],
                .pad_left = pads[1],
                .pad_bottom = pads[2],
                .pad_right = pads[3],
                .dilation_h = dilations[0],
                .dilation_w = dilations[1]};
  if (window.extent_h() > kMaxSize || window.extent_w() > kMaxSize) return Error{"its window is too large"};
  const Line rows{input.height, window.extent_h(), window.stride_h, window.pad_top, window.pad_bottom};
  const Line columns{input.width, window.extent_w(), window.stride_w, window.pad_left, window.pad_right};
  if (padding == "SAME_UPPER" || padding == "SAME_LOWER") {
    pad_same(rows, padding == "SAME_UPPER");
    pad_same(columns, padding == "SAME_UPPER");
  } else if (padding == "VALID") {
    window.pad_top = window.pad_left = window.pad_bottom = window.pad_right = 0;
  } else if (padding != "NOTSET") {
    return Error{fmt::format("its attribute 'auto_pad' is '{}', which is not known", padding)};
  }
  if (rounds_up) {
    round_up(rows);
    round_up(columns);
  }
  return window;
}

}  // namespace concertina::onnx
