#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "base/try.h"
#include "onnx/op_from_onnx.h"
#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

using Resize = op::Resize;

template <typename T>
struct Named {
  std::string_view name;
  T value;
};
constexpr Named<Resize::Coordinates> kCoordinates[] = {
    {"half_pixel", Resize::Coordinates::half_pixel},
    {"pytorch_half_pixel", Resize::Coordinates::pytorch_half_pixel},
    {"asymmetric", Resize::Coordinates::asymmetric},
    {"align_corners", Resize::Coordinates::align_corners}};
constexpr Named<Resize::Rounding> kRoundings[] = {{"round_prefer_floor", Resize::Rounding::prefer_floor},
                                                  {"round_prefer_ceil", Resize::Rounding::prefer_ceil},
                                                  {"floor", Resize::Rounding::floor},
                                                  {"ceil", Resize::Rounding::ceil}};
constexpr Named<Resize::Mode> kModes[] = {
    {"nearest", Resize::Mode::nearest}, {"linear", Resize::Mode::linear}, {"bilinear", Resize::Mode::linear}};

template <typename T, std::size_t n>
Status choose(const char* what, const std::string& name, const Named<T> (&names)[n], T& value) {
  for (const Named<T>& known : names) {
    if (known.name != name) continue;
    value = known.value;
    return {};
  }
  return Error{fmt::format("its {} '{}' is not supported", what, name)};
}

/// The numbers for rows and columns out of those for N, C, H, W, or for H, W alone.
Result<std::array<double, 2>> for_pixels(const FoldedTensor& tensor) {
  const std::vector<double>& v = tensor.values;
  if (v.size() == 2) return std::array<double, 2>{v[0], v[1]};
  if (v.size() == 4) return std::array<double, 2>{v[2], v[3]};
  return Error{"its scales or sizes are not four numbers"};
}

Status set_scales(const FoldedTensor& scales, const Shape& input, Resize& resize) {
  ASSIGN_OR_RETURN(const auto s, for_pixels(scales));
  if (scales.values.size() == 4 && (scales.values[0] != 1 || scales.values[1] != 1)) {
    return Error{"it changes the number of channels"};
  }
  resize.scale_h = static_cast<float>(s[0]);
  resize.scale_w = static_cast<float>(s[1]);
  const float height = std::floor(static_cast<float>(input.height) * resize.scale_h);
  const float width = std::floor(static_cast<float>(input.width) * resize.scale_w);
  if (!(height >= 1 && height <= kMaxSize && width >= 1 && width <= kMaxSize)) {
    return Error{"its scales are out of range"};
  }
  resize.height = static_cast<int>(height);
  resize.width = static_cast<int>(width);
  return {};
}

Status set_sizes(const FoldedTensor& sizes, const Shape& input, Resize& resize) {
  ASSIGN_OR_RETURN(const auto s, for_pixels(sizes));
  if (sizes.values.size() == 4 && sizes.values[1] != input.channels) {
    return Error{"it changes the number of channels"};
  }
  for (const double size : s) {
    if (!(size >= 1 && size <= kMaxSize)) return Error{"its sizes are out of range or depend on the batch"};
  }
  resize.height = static_cast<int>(s[0]);
  resize.width = static_cast<int>(s[1]);
  resize.scale_h = Resize::exact_scale(0, input.height, resize.height);
  resize.scale_w = Resize::exact_scale(0, input.width, resize.width);
  return {};
}

/// before and after of N, C, H, W
Result<OpWithArrays> read_channel_pads(const std::vector<std::int64_t>& pads) {
  for (const std::size_t other : {0, 2, 3, 4, 6, 7}) {
    if (pads[other] != 0) return Error{"it pads channels and something else at once"};
  }
  if (pads[1] < 0 || pads[5] < 0 || pads[1] + pads[5] > kMaxSize)
    return Error{"it cuts channels, or adds too many"};
  op::PadChannels pad;
  pad.before = static_cast<int>(pads[1]);
  pad.after = static_cast<int>(pads[5]);
  return OpWithArrays{pad};
}

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

bool has(const OpSource& source, std::size_t i) {
  return i < source.constants.size() && !source.constants[i].left_out();
}

Result<std::vector<std::int64_t>> listed(const OpSource& source, Attributes& attributes, const char* name,
                                         std::size_t i) {
  if (!has(source, i)) return attributes.list(name);
  ASSIGN_OR_RETURN(const auto tensor, source.constants[i].tensor());
  std::vector<std::int64_t> list;
  for (const auto& value : to_integers(*tensor)) {
    if (!value) return Error{fmt::format("its '{}' depend on the size of the batch", name)};
    list.push_back(*value);
  }
  return list;
}

Result<OpWithArrays> read_pad(const OpSource& source) {
  Attributes attributes(source.node);
  ASSIGN_OR_RETURN(std::vector<std::int64_t> pads, listed(source, attributes, "pads", 0));
  op::Pad pad;
  pad.value = attributes.real("value", 0);
  if (has(source, 1)) {
    ASSIGN_OR_RETURN(const double value, source.constants[1].scalar());
    pad.value = static_cast<float>(value);
  }
  const std::string mode = attributes.text("mode", "constant");
  RETURN_IF_ERROR(attributes.done());
  if (has(source, 2)) return Error{"its axes are listed, which is not supported"};
  if (mode == "edge") pad.mode = op::Pad::Mode::edge;
  if (mode == "reflect") pad.mode = op::Pad::Mode::reflect;
  if (pad.mode == op::Pad::Mode::constant && mode != "constant") {
    return Error{fmt::format("its mode is '{}'; constant, edge and reflect are supported", mode)};
  }
  if (pads.size() == 8 && pad.mode == op::Pad::Mode::constant && pad.value == 0 && pads[1] + pads[5] > 0) {
    return read_channel_pads(pads);
  }
  const std::int64_t least = pad.mode == op::Pad::Mode::constant ? -kMaxSize : 0;
  const auto sensible = [&](std::int64_t size) { return size >= least && size <= kMaxSize; };
  if (pads.size() != 8 || !std::all_of(pads.begin(), pads.end(), sensible) || pads[0] != 0 || pads[1] != 0 ||
      pads[4] != 0 || pads[5] != 0) {
    return Error{"it pads something else than rows and columns of a map"};
  }
  pad.top = static_cast<int>(pads[2]);
  pad.left = static_cast<int>(pads[3]);
  pad.bottom = static_cast<int>(pads[6]);
  pad.right = static_cast<int>(pads[7]);
  if (pad.mode != op::Pad::Mode::constant) pad.value = 0;
  return OpWithArrays{pad};
}

Result<OpWithArrays> read_depth_to_space(const OpSource& source) {
  Attributes attributes(source.node);
  op::DepthToSpace op;
  op.block = attributes.integer("blocksize", 0, 1);
  const std::string mode = attributes.text("mode", "DCR");
  RETURN_IF_ERROR(attributes.done());
  if (mode != "DCR" && mode != "CRD") return Error{fmt::format("its mode '{}' is not known", mode)};
  if (mode == "CRD") op.order = op::Blocks::Order::column_row_depth;
  return OpWithArrays{op};
}

Result<OpWithArrays> read_space_to_depth(const OpSource& source) {
  Attributes attributes(source.node);
  op::SpaceToDepth op;
  op.block = attributes.integer("blocksize", 0, 1);
  RETURN_IF_ERROR(attributes.done());
  return OpWithArrays{op};
}

/// Resize(x, roi, scales, sizes) since operator set 11, Resize(x, scales) in 10, Upsample(x, scales) in 9.
Result<OpWithArrays> read_resize(const OpSource& source) {
  Attributes attributes(source.node);
  const bool old = source.node.op_type() == "Upsample" || source.operator_set < 11;
  Resize resize;
  RETURN_IF_ERROR(choose("mode", attributes.text("mode", "nearest"), kModes, resize.mode));
  if (!old) {
    RETURN_IF_ERROR(choose("transformation of coordinates",
                           attributes.text("coordinate_transformation_mode", "half_pixel"), kCoordinates,
                           resize.coordinates));
    RETURN_IF_ERROR(choose("rounding", attributes.text("nearest_mode", "round_prefer_floor"), kRoundings,
                           resize.rounding));
    attributes.expect("antialias", 0, 0);
    for (const char* of_others : {"cubic_coeff_a", "exclude_outside", "extrapolation_value"}) {
      attributes.ignore(of_others);
    }
    const std::string policy = attributes.text("keep_aspect_ratio_policy", "stretch");
    if (policy != "stretch") return Error{"it keeps the aspect ratio, which is not supported"};
  }
  if (resize.mode == Resize::Mode::linear) resize.rounding = Resize::Rounding::floor;
  const std::vector<std::int64_t> axes = attributes.list("axes");
  if (!axes.empty() && axes != std::vector<std::int64_t>{2, 3})
    return Error{"its axes are not rows and columns"};
  FoldedTensor scales{.shape = {}, .values = {}};
  for (const float scale : attributes.reals("scales")) scales.values.push_back(scale);
  RETURN_IF_ERROR(attributes.done());
  const std::size_t at = old ? 0 : 1;
  if (has(source, at) && source.constants[at].count() > 0) {
    ASSIGN_OR_RETURN(const auto given, source.constants[at].tensor());
    scales = *given;
  }
  if (!scales.values.empty()) {
    RETURN_IF_ERROR(set_scales(scales, source.values[0], resize));
    return OpWithArrays{resize};
  }
  if (!has(source, 2)) return Error{"it has neither scales nor sizes"};
  ASSIGN_OR_RETURN(const auto sizes, source.constants[2].tensor());
  RETURN_IF_ERROR(set_sizes(*sizes, source.values[0], resize));
  return OpWithArrays{resize};
}

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
