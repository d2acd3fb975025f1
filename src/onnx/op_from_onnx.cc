#include "onnx/op_from_onnx.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/try.h"
#include "onnx/attributes.h"
#include "onnx/tensor.h"
#include "onnx/window_from_onnx.h"

namespace concertina {
namespace {

/// Appends the arrays of constants [0, count) as they are.
Status take_arrays(const OpSource& source, std::size_t count, OpWithArrays& read) {
  for (std::size_t i = 0; i < count; ++i) {
    CONCERTINA_ASSIGN(read.arrays.emplace_back(), source.constants[i].floats());
  }
  return {};
}

bool has(const OpSource& source, std::size_t i) {
  return i < source.constants.size() && !source.constants[i].left_out();
}

Result<OpWithArrays> read_conv(const OpSource& source) {
  CONCERTINA_ASSIGN(const auto sizes, source.constants[0].sizes(4));
  Attributes attributes(source.node);
  op::Conv conv;
  conv.groups = attributes.integer("group", 1, 1);
  const std::int64_t in_channels = std::int64_t{sizes[1]} * conv.groups;
  if (in_channels > kMaxSize) return Error{"it has too many channels"};
  conv.in_channels = static_cast<int>(in_channels);
  conv.out_channels = sizes[0];
  conv.bias = has(source, 1);
  CONCERTINA_ASSIGN(conv.window, read_window(attributes, {sizes[2], sizes[3]}, source.values[0]));
  CONCERTINA_TRY(attributes.done());
  OpWithArrays read{conv};
  CONCERTINA_TRY(take_arrays(source, conv.bias ? 2 : 1, read));
  return read;
}

Result<OpWithArrays> read_batch_norm(const OpSource& source) {
  CONCERTINA_ASSIGN(const auto sizes, source.constants[0].sizes(1));
  Attributes attributes(source.node);
  op::BatchNorm norm;
  norm.channels = sizes[0];
  norm.epsilon = attributes.real("epsilon", 1e-5F);
  for (const char* of_training : {"momentum", "training_mode", "is_test"}) attributes.ignore(of_training);
  attributes.expect("spatial", 1, 1);
  CONCERTINA_TRY(attributes.done());
  OpWithArrays read{norm};
  CONCERTINA_TRY(take_arrays(source, 4, read));
  return read;
}

/// A bound of Clip: an attribute before operator set 11, a constant since.
Result<float> bound(const OpSource& source, Attributes& attributes, const char* name, std::size_t i,
                    float otherwise) {
  if (source.operator_set < 11) return attributes.real(name, otherwise);
  if (!has(source, i)) return otherwise;
  CONCERTINA_ASSIGN(const double value, source.constants[i].scalar());
  return static_cast<float>(value);
}

Result<OpWithArrays> read_clip(const OpSource& source) {
  constexpr float kMost = std::numeric_limits<float>::max();
  Attributes attributes(source.node);
  CONCERTINA_ASSIGN(const float low, bound(source, attributes, "min", 0, -kMost));
  CONCERTINA_ASSIGN(const float high, bound(source, attributes, "max", 1, kMost));
  CONCERTINA_TRY(attributes.done());
  if (low == 0 && high >= kMost) return OpWithArrays{op::relu()};
  return OpWithArrays{op::activation(op::Function::clip, std::max(low, -kMost), std::min(high, kMost))};
}

Result<OpWithArrays> activation(Attributes& attributes, op::Activation op) {
  CONCERTINA_TRY(attributes.done());
  return OpWithArrays{op};
}

Result<OpWithArrays> read_leaky_relu(const OpSource& source) {
  Attributes attributes(source.node);
  return activation(attributes, op::activation(op::Function::leaky_relu, attributes.real("alpha", 0.01F)));
}

Result<OpWithArrays> read_hard_sigmoid(const OpSource& source) {
  Attributes attributes(source.node);
  const float alpha = attributes.real("alpha", 0.2F), beta = attributes.real("beta", 0.5F);
  return activation(attributes, op::activation(op::Function::hard_sigmoid, alpha, beta));
}

template <op::Function function>
Result<OpWithArrays> read_function(const OpSource& source) {
  Attributes attributes(source.node);
  return activation(attributes, op::activation(function));
}

template <typename T>
Result<OpWithArrays> read_plain(const OpSource& source) {
  CONCERTINA_TRY(Attributes(source.node).done());
  return OpWithArrays{T{}};
}

Result<OpWithArrays> read_max_pool(const OpSource& source) {
  Attributes attributes(source.node);
  op::MaxPool pool;
  attributes.ignore("storage_order");  // of the second output
  CONCERTINA_ASSIGN(pool.window, read_window(attributes, {1, 1}, source.values[0]));
  CONCERTINA_TRY(attributes.done());
  return OpWithArrays{pool};
}

Result<OpWithArrays> read_global_max_pool(const OpSource& source) {
  CONCERTINA_TRY(Attributes(source.node).done());
  op::MaxPool pool;
  pool.window.kernel_h = source.values[0].height;
  pool.window.kernel_w = source.values[0].width;
  return OpWithArrays{pool};
}

Result<OpWithArrays> read_average_pool(const OpSource& source) {
  Attributes attributes(source.node);
  op::AveragePool pool;
  pool.count_padding = attributes.integer("count_include_pad", 0) != 0;
  CONCERTINA_ASSIGN(pool.window, read_window(attributes, {1, 1}, source.values[0]));
  CONCERTINA_TRY(attributes.done());
  if (pool.window.dilation_h != 1 || pool.window.dilation_w != 1) return Error{"its window is dilated"};
  const bool rounds_up = attributes.integer("ceil_mode", 0) != 0;
  if (rounds_up && pool.count_padding) {
    return Error{"it counts padding and rounds its size up ('ceil_mode'), which together are not supported"};
  }
  return OpWithArrays{pool};
}

/// weight [in][out] -> [out][in], times `factor`.
Array transposed(const Array& weight, bool turn, float factor) {
  Array result = weight;
  const auto rows = static_cast<std::size_t>(weight.shape[0]), columns = static_cast<std::size_t>(weight.shape[1]);
  if (turn) {
    result.shape = {weight.shape[1], weight.shape[0]};
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t o = 0; o < columns; ++o) result.values[o * rows + i] = weight.values[i * columns + o];
    }
  }
  if (factor == 1) return result;
  for (float& value : result.values) value *= factor;
  return result;
}

Result<OpWithArrays> read_linear(const OpSource& source, bool turned, float alpha, float beta) {
  CONCERTINA_ASSIGN(const auto sizes, source.constants[0].sizes(2));
  op::Linear linear;
  linear.out_features = turned ? sizes[1] : sizes[0];
  linear.in_features = turned ? sizes[0] : sizes[1];
  linear.bias = has(source, 1);
  CONCERTINA_ASSIGN(const Array weight, source.constants[0].floats());
  OpWithArrays read{linear};
  read.arrays.push_back(turned || alpha != 1 ? transposed(weight, turned, alpha) : weight);
  if (!linear.bias) return read;
  CONCERTINA_ASSIGN(Array bias, source.constants[1].floats());
  const auto features = static_cast<std::size_t>(linear.out_features);
  if (bias.values.size() == 1) bias.values.assign(features, bias.values[0]);
  if (bias.values.size() != features) {
    return Error{fmt::format("its bias has {} values for {} features", bias.values.size(), features)};
  }
  bias.shape = {linear.out_features};
  for (float& value : bias.values) value *= beta;
  read.arrays.push_back(std::move(bias));
  return read;
}

Result<OpWithArrays> read_gemm(const OpSource& source) {
  Attributes attributes(source.node);
  const float alpha = attributes.real("alpha", 1), beta = attributes.real("beta", 1);
  attributes.expect("transA", 0, 0);
  const bool turned = attributes.integer("transB", 0) == 0;
  CONCERTINA_TRY(attributes.done());
  return read_linear(source, turned, alpha, beta);
}

Result<OpWithArrays> read_mat_mul(const OpSource& source) {
  CONCERTINA_TRY(Attributes(source.node).done());
  return read_linear(source, true, 1, 1);
}

/// The axis of the channels may be counted from the end.
Status expect_channels(const OpSource& source, Attributes& attributes, std::int64_t otherwise) {
  const int axis = attributes.integer("axis", static_cast<int>(otherwise), -4);
  if (axis == 1 || axis == 1 - source.ranks[0]) return {};
  return Error{fmt::format("it works along axis {}, not along the channels", axis)};
}

Result<OpWithArrays> read_concat(const OpSource& source) {
  Attributes attributes(source.node);
  CONCERTINA_TRY(expect_channels(source, attributes, 1));
  CONCERTINA_TRY(attributes.done());
  std::int64_t channels = 0;
  for (const Shape& shape : source.values) channels += shape.channels;
  if (channels > kMaxSize) return Error{"it has too many channels"};
  return OpWithArrays{op::Concat{}};
}

Result<OpWithArrays> read_softmax(const OpSource& source) {
  Attributes attributes(source.node);
  const bool old = source.operator_set < 13;  // it then normalised over all axes from `axis` on
  CONCERTINA_TRY(expect_channels(source, attributes, old ? 1 : -1));
  CONCERTINA_TRY(attributes.done());
  if (old && source.values[0].height * std::int64_t{source.values[0].width} != 1) {
    return Error{"before operator set 13 it normalises over whole maps, which is not supported"};
  }
  return OpWithArrays{op::Softmax{}};
}

/// A list of whole numbers: an attribute in older operator sets, a constant since.
Result<std::vector<std::int64_t>> listed(const OpSource& source, Attributes& attributes, const char* name,
                                         std::size_t i) {
  if (!has(source, i)) return attributes.list(name);
  CONCERTINA_ASSIGN(const Known known, source.constants[i].known());
  std::vector<std::int64_t> list;
  for (const auto& value : to_integers(known)) {
    if (!value) return Error{fmt::format("its '{}' depend on the size of the batch", name)};
    list.push_back(*value);
  }
  return list;
}

Result<OpWithArrays> read_slice(const OpSource& source) {
  Attributes attributes(source.node);
  CONCERTINA_ASSIGN(const auto starts, listed(source, attributes, "starts", 0));
  CONCERTINA_ASSIGN(const auto ends, listed(source, attributes, "ends", 1));
  CONCERTINA_ASSIGN(const auto axes, listed(source, attributes, "axes", 2));
  CONCERTINA_ASSIGN(const auto steps, listed(source, attributes, "steps", 3));
  CONCERTINA_TRY(attributes.done());
  if (starts.size() != 1 || ends.size() != 1 || axes.size() != 1 || (!steps.empty() && steps[0] != 1) ||
      (axes[0] != 1 && axes[0] != 1 - source.ranks[0])) {
    return Error{"it takes more than one run of channels"};
  }
  const std::int64_t channels = source.values[0].channels;
  const auto place = [&](std::int64_t at) {
    return static_cast<int>(std::clamp<std::int64_t>(at < 0 ? at + channels : at, 0, channels));
  };
  op::Slice slice;
  slice.begin = place(starts[0]);
  slice.end = place(ends[0]);
  return OpWithArrays{slice};
}

Result<OpWithArrays> read_pad(const OpSource& source) {
  Attributes attributes(source.node);
  CONCERTINA_ASSIGN(std::vector<std::int64_t> pads, listed(source, attributes, "pads", 0));
  op::Pad pad;
  pad.value = attributes.real("value", 0);
  if (has(source, 1)) {
    CONCERTINA_ASSIGN(const double value, source.constants[1].scalar());
    pad.value = static_cast<float>(value);
  }
  const std::string mode = attributes.text("mode", "constant");
  CONCERTINA_TRY(attributes.done());
  if (has(source, 2)) return Error{"its axes are listed, which is not supported"};
  if (mode == "edge") pad.mode = op::Pad::Mode::edge;
  if (mode == "reflect") pad.mode = op::Pad::Mode::reflect;
  if (pad.mode == op::Pad::Mode::constant && mode != "constant") {
    return Error{fmt::format("its mode is '{}'; constant, edge and reflect are supported", mode)};
  }
  const auto sensible = [](std::int64_t size) { return size >= 0 && size <= kMaxSize; };
  if (pads.size() != 8 || !std::all_of(pads.begin(), pads.end(), sensible) || pads[0] + pads[1] + pads[4] + pads[5] > 0) {
    return Error{"it pads something else than rows and columns of a map, or cuts them"};
  }
  pad.top = static_cast<int>(pads[2]);
  pad.left = static_cast<int>(pads[3]);
  pad.bottom = static_cast<int>(pads[6]);
  pad.right = static_cast<int>(pads[7]);
  if (pad.mode != op::Pad::Mode::constant) pad.value = 0;
  return OpWithArrays{pad};
}

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
Result<std::array<double, 2>> for_pixels(const Known& known) {
  const std::vector<double>& v = known.values;
  if (v.size() == 2) return std::array<double, 2>{v[0], v[1]};
  if (v.size() == 4) return std::array<double, 2>{v[2], v[3]};
  return Error{"its scales or sizes are not four numbers"};
}

Status set_scales(const Known& scales, const Shape& input, Resize& resize) {
  CONCERTINA_ASSIGN(const auto s, for_pixels(scales));
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

Status set_sizes(const Known& sizes, const Shape& input, Resize& resize) {
  CONCERTINA_ASSIGN(const auto s, for_pixels(sizes));
  if (sizes.values.size() == 4 && sizes.values[1] != input.channels) {
    return Error{"it changes the number of channels"};
  }
  for (const double size : s) {
    if (!(size >= 1 && size <= kMaxSize)) return Error{"its sizes are out of range or depend on the batch"};
  }
  resize.height = static_cast<int>(s[0]);
  resize.width = static_cast<int>(s[1]);
  resize.scale_h = static_cast<float>(resize.height) / static_cast<float>(input.height);
  resize.scale_w = static_cast<float>(resize.width) / static_cast<float>(input.width);
  return {};
}

/// Resize(x, roi, scales, sizes) since operator set 11, Resize(x, scales) in 10, Upsample(x, scales) in 9.
Result<OpWithArrays> read_resize(const OpSource& source) {
  Attributes attributes(source.node);
  const bool old = source.node.op_type() == "Upsample" || source.operator_set < 11;
  Resize resize;
  CONCERTINA_TRY(choose("mode", attributes.text("mode", "nearest"), kModes, resize.mode));
  if (!old) {
    CONCERTINA_TRY(choose("transformation of coordinates",
                          attributes.text("coordinate_transformation_mode", "half_pixel"), kCoordinates,
                          resize.coordinates));
    CONCERTINA_TRY(choose("rounding", attributes.text("nearest_mode", "round_prefer_floor"), kRoundings,
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
  if (!axes.empty() && axes != std::vector<std::int64_t>{2, 3}) return Error{"its axes are not rows and columns"};
  Known scales{.shape = {}, .values = {}};
  for (const float scale : attributes.reals("scales")) scales.values.push_back(scale);
  CONCERTINA_TRY(attributes.done());
  const std::size_t at = old ? 0 : 1;
  if (has(source, at) && source.constants[at].count() > 0) {
    CONCERTINA_ASSIGN(scales, source.constants[at].known());
  }
  if (!scales.values.empty()) {
    CONCERTINA_TRY(set_scales(scales, source.values[0], resize));
    return OpWithArrays{resize};
  }
  if (!has(source, 2)) return Error{"it has neither scales nor sizes"};
  CONCERTINA_ASSIGN(const Known sizes, source.constants[2].known());
  CONCERTINA_TRY(set_sizes(sizes, source.values[0], resize));
  return OpWithArrays{resize};
}

enum class Values { one, two, many };

struct OpReader {
  std::string_view type;
  Values values;
  std::size_t least_constants, most_constants;
  Result<OpWithArrays> (*read)(const OpSource&);
};

constexpr OpReader kReaders[] = {
    {"Add", Values::two, 0, 0, read_plain<op::Add>},
    {"AveragePool", Values::one, 0, 0, read_average_pool},
    {"BatchNormalization", Values::one, 4, 4, read_batch_norm},
    {"Clip", Values::one, 0, 2, read_clip},
    {"Concat", Values::many, 0, 0, read_concat},
    {"Conv", Values::one, 1, 2, read_conv},
    {"Gemm", Values::one, 1, 2, read_gemm},
    {"GlobalAveragePool", Values::one, 0, 0, read_plain<op::GlobalAveragePool>},
    {"GlobalMaxPool", Values::one, 0, 0, read_global_max_pool},
    {"HardSigmoid", Values::one, 0, 0, read_hard_sigmoid},
    {"HardSwish", Values::one, 0, 0, read_function<op::Function::hard_swish>},
    {"LeakyRelu", Values::one, 0, 0, read_leaky_relu},
    {"MatMul", Values::one, 1, 1, read_mat_mul},
    {"MaxPool", Values::one, 0, 0, read_max_pool},
    {"Mul", Values::two, 0, 0, read_plain<op::Mul>},
    {"Pad", Values::one, 0, 3, read_pad},
    {"Relu", Values::one, 0, 0, read_function<op::Function::relu>},
    {"Resize", Values::one, 1, 3, read_resize},
    {"Sigmoid", Values::one, 0, 0, read_function<op::Function::sigmoid>},
    {"Slice", Values::one, 0, 4, read_slice},
    {"Softmax", Values::one, 0, 0, read_softmax},
    {"Upsample", Values::one, 0, 1, read_resize}};

Status check_counts(const OpReader& reader, const OpSource& source) {
  const std::size_t constants = source.constants.size();
  if (constants < reader.least_constants || constants > reader.most_constants) {
    return Error{fmt::format("it has {} constant inputs, which is not what the op takes", constants)};
  }
  for (std::size_t i = 0; i < reader.least_constants; ++i) {
    const bool optional = reader.read == read_resize;
    if (source.constants[i].left_out() && !optional) return Error{"a constant input that it needs is left out"};
  }
  const std::size_t values = source.values.size();
  if (reader.values == Values::many ? values == 0 : values != (reader.values == Values::two ? 2U : 1U)) {
    return Error{fmt::format("it reads {} values, which is not what the op takes", values)};
  }
  return {};
}

}  // namespace

Result<OpWithArrays> read_op(const OpSource& source) {
  const auto* reader = std::find_if(std::begin(kReaders), std::end(kReaders),
                                    [&](const OpReader& r) { return r.type == source.node.op_type(); });
  if (reader == std::end(kReaders)) return Error{"there is no rule for this op"};
  CONCERTINA_TRY(check_counts(*reader, source));
  return reader->read(source);
}

std::vector<std::string_view> known_ops() {
  std::vector<std::string_view> known;
  for (const OpReader& reader : kReaders) known.push_back(reader.type);
  return known;
}

}  // namespace concertina
