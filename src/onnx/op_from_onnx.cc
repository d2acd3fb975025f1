#include "onnx/op_from_onnx.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/try.h"
#include "onnx/attributes.h"
#include "onnx/conv_transpose.h"
#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

/// Appends the arrays of constants [0, count) as they are.
Status take_arrays(const OpSource& source, std::size_t count, OpWithArrays& read) {
  for (std::size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(read.arrays.emplace_back(), source.constants[i].floats());
  }
  return {};
}

Result<OpWithArrays> read_conv(const OpSource& source) {
  ASSIGN_OR_RETURN(const auto sizes, source.constants[0].sizes(4));
  Attributes attributes(source.node);
  op::Conv conv;
  conv.groups = attributes.integer("group", 1, 1);
  const std::int64_t in_channels = std::int64_t{sizes[1]} * conv.groups;
  if (in_channels > kMaxSize) return Error{"it has too many channels"};
  conv.in_channels = static_cast<int>(in_channels);
  conv.out_channels = sizes[0];
  conv.bias = has(source, 1);
  ASSIGN_OR_RETURN(conv.window, read_window(attributes, {sizes[2], sizes[3]}, source.values[0]));
  RETURN_IF_ERROR(attributes.done());
  OpWithArrays read{conv};
  RETURN_IF_ERROR(take_arrays(source, conv.bias ? 2 : 1, read));
  return read;
}

Result<OpWithArrays> read_batch_norm(const OpSource& source) {
  ASSIGN_OR_RETURN(const auto sizes, source.constants[0].sizes(1));
  Attributes attributes(source.node);
  op::BatchNorm norm;
  norm.channels = sizes[0];
  norm.epsilon = attributes.real("epsilon", 1e-5F);
  for (const char* of_training : {"momentum", "training_mode", "is_test"}) attributes.ignore(of_training);
  attributes.expect("spatial", 1, 1);
  RETURN_IF_ERROR(attributes.done());
  OpWithArrays read{norm};
  RETURN_IF_ERROR(take_arrays(source, 4, read));
  return read;
}

/// A bound of Clip: an attribute before operator set 11, a constant since.
Result<float> bound(const OpSource& source, Attributes& attributes, const char* name, std::size_t i,
                    float otherwise) {
  if (source.operator_set < 11) return attributes.real(name, otherwise);
  if (!has(source, i)) return otherwise;
  ASSIGN_OR_RETURN(const double value, source.constants[i].scalar());
  return static_cast<float>(value);
}

Result<OpWithArrays> read_clip(const OpSource& source) {
  constexpr float kMost = std::numeric_limits<float>::max();
  Attributes attributes(source.node);
  ASSIGN_OR_RETURN(const float low, bound(source, attributes, "min", 0, -kMost));
  ASSIGN_OR_RETURN(const float high, bound(source, attributes, "max", 1, kMost));
  RETURN_IF_ERROR(attributes.done());
  if (low == 0 && high >= kMost) return OpWithArrays{op::relu()};
  return OpWithArrays{op::activation(op::Function::clip, std::max(low, -kMost), std::min(high, kMost))};
}

Result<OpWithArrays> activation(Attributes& attributes, op::Activation op) {
  RETURN_IF_ERROR(attributes.done());
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

/// A leaky relu whose slope is -1.
Result<OpWithArrays> read_abs(const OpSource& source) {
  Attributes attributes(source.node);
  return activation(attributes, op::activation(op::Function::leaky_relu, -1));
}

Result<OpWithArrays> read_elu(const OpSource& source) {
  Attributes attributes(source.node);
  return activation(attributes, op::activation(op::Function::elu, attributes.real("alpha", 1)));
}

Result<OpWithArrays> read_selu(const OpSource& source) {
  Attributes attributes(source.node);
  const float alpha = attributes.real("alpha", 1.67326319F), gamma = attributes.real("gamma", 1.05070102F);
  return activation(attributes, op::activation(op::Function::selu, alpha, gamma));
}

Result<OpWithArrays> read_local_response(const OpSource& source) {
  Attributes attributes(source.node);
  op::LocalResponseNorm norm;
  norm.size = attributes.integer("size", 0, 1);
  norm.alpha = attributes.real("alpha", 1e-4F);
  norm.beta = attributes.real("beta", 0.75F);
  norm.bias = attributes.real("bias", 1);
  RETURN_IF_ERROR(attributes.done());
  return OpWithArrays{norm};
}

Result<OpWithArrays> read_gelu(const OpSource& source) {
  Attributes attributes(source.node);
  const std::string approximate = attributes.text("approximate", "none");
  if (approximate == "tanh") return activation(attributes, op::activation(op::Function::gelu_tanh));
  if (approximate == "none") return activation(attributes, op::activation(op::Function::gelu));
  return Error{fmt::format("its approximation '{}' is not known", approximate)};
}

template <op::Function function>
Result<OpWithArrays> read_function(const OpSource& source) {
  Attributes attributes(source.node);
  return activation(attributes, op::activation(function));
}

template <typename T>
Result<OpWithArrays> read_plain(const OpSource& source) {
  RETURN_IF_ERROR(Attributes(source.node).done());
  return OpWithArrays{T{}};
}

Result<OpWithArrays> read_max_pool(const OpSource& source) {
  Attributes attributes(source.node);
  op::MaxPool pool;
  attributes.ignore("storage_order");  // of the second output
  ASSIGN_OR_RETURN(pool.window, read_window(attributes, {1, 1}, source.values[0]));
  RETURN_IF_ERROR(attributes.done());
  return OpWithArrays{pool};
}

Result<OpWithArrays> read_global_max_pool(const OpSource& source) {
  RETURN_IF_ERROR(Attributes(source.node).done());
  op::MaxPool pool;
  pool.window.kernel_h = source.values[0].height;
  pool.window.kernel_w = source.values[0].width;
  return OpWithArrays{pool};
}

/// Whether rounding its size up has added padding to what the node says.
bool hangs_over(Attributes& attributes, const Window& window) {
  if (attributes.integer("ceil_mode", 0) == 0) return false;
  const std::vector<int> pads = attributes.integers("pads", {0, 0, 0, 0}, 0);
  return window.pad_bottom != pads[2] || window.pad_right != pads[3];
}

Result<OpWithArrays> read_average_pool(const OpSource& source) {
  Attributes attributes(source.node);
  op::AveragePool pool;
  pool.count_padding = attributes.integer("count_include_pad", 0) != 0;
  ASSIGN_OR_RETURN(pool.window, read_window(attributes, {1, 1}, source.values[0]));
  RETURN_IF_ERROR(attributes.done());
  if (pool.count_padding && hangs_over(attributes, pool.window)) {
    return Error{"it counts padding, and windows hang over the end ('ceil_mode'), which is not supported"};
  }
  return OpWithArrays{pool};
}

/// weight [in][out] -> [out][in], times `factor`.
Array transposed(const Array& weight, bool turn, float factor) {
  Array result = weight;
  const auto rows = static_cast<std::size_t>(weight.shape[0]),
             columns = static_cast<std::size_t>(weight.shape[1]);
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
  ASSIGN_OR_RETURN(const auto sizes, source.constants[0].sizes(2));
  op::Linear linear;
  linear.out_features = turned ? sizes[1] : sizes[0];
  linear.in_features = turned ? sizes[0] : sizes[1];
  linear.bias = has(source, 1);
  ASSIGN_OR_RETURN(const Array weight, source.constants[0].floats());
  OpWithArrays read{linear};
  read.arrays.push_back(turned || alpha != 1 ? transposed(weight, turned, alpha) : weight);
  if (!linear.bias) return read;
  ASSIGN_OR_RETURN(Array bias, source.constants[1].floats());
  const auto features = static_cast<std::size_t>(linear.out_features);
  if (bias.values.size() == 1) {
    bias.values.assign(features, bias.values[0]);
    bias.shape = {linear.out_features};
  }
  const bool one_row =
      !bias.shape.empty() && bias.shape.size() <= 2 && bias.shape.back() == linear.out_features;
  if (bias.values.size() != features || (features > 1 && !one_row)) {
    return Error{fmt::format("its bias of {} is not one value for each of {} features",
                             fmt::join(bias.shape, "x"), features)};
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
  RETURN_IF_ERROR(attributes.done());
  return read_linear(source, turned, alpha, beta);
}

Result<OpWithArrays> read_mat_mul(const OpSource& source) {
  RETURN_IF_ERROR(Attributes(source.node).done());
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
  RETURN_IF_ERROR(expect_channels(source, attributes, 1));
  RETURN_IF_ERROR(attributes.done());
  std::int64_t channels = 0;
  for (const Shape& shape : source.values) channels += shape.channels;
  if (channels > kMaxSize) return Error{"it has too many channels"};
  return OpWithArrays{op::Concat{}};
}

enum class Values { one, two, many };

struct OpReader {
  std::string_view type;
  Values values;
  std::size_t least_constants, most_constants;
  Result<OpWithArrays> (*read)(const OpSource&);
};

constexpr OpReader kReaders[] = {{"Abs", Values::one, 0, 0, read_abs},
                                 {"Add", Values::two, 0, 0, read_plain<op::Add>},
                                 {"AveragePool", Values::one, 0, 0, read_average_pool},
                                 {"BatchNormalization", Values::one, 4, 4, read_batch_norm},
                                 {"Clip", Values::one, 0, 2, read_clip},
                                 {"Concat", Values::many, 0, 0, read_concat},
                                 {"Conv", Values::one, 1, 2, read_conv},
                                 {"ConvTranspose", Values::one, 1, 2, read_conv_transpose},
                                 {"DepthToSpace", Values::one, 0, 0, read_depth_to_space},
                                 {"Elu", Values::one, 0, 0, read_elu},
                                 {"Erf", Values::one, 0, 0, read_function<op::Function::erf>},
                                 {"Gelu", Values::one, 0, 0, read_gelu},
                                 {"Gemm", Values::one, 1, 2, read_gemm},
                                 {"GlobalAveragePool", Values::one, 0, 0, read_plain<op::GlobalAveragePool>},
                                 {"GlobalMaxPool", Values::one, 0, 0, read_global_max_pool},
                                 {"HardSigmoid", Values::one, 0, 0, read_hard_sigmoid},
                                 {"HardSwish", Values::one, 0, 0, read_function<op::Function::hard_swish>},
                                 {"LRN", Values::one, 0, 0, read_local_response},
                                 {"LeakyRelu", Values::one, 0, 0, read_leaky_relu},
                                 {"MatMul", Values::one, 1, 1, read_mat_mul},
                                 {"MaxPool", Values::one, 0, 0, read_max_pool},
                                 {"Mish", Values::one, 0, 0, read_function<op::Function::mish>},
                                 {"Mul", Values::two, 0, 0, read_plain<op::Mul>},
                                 {"Pad", Values::one, 0, 3, read_pad},
                                 {"Reciprocal", Values::one, 0, 0, read_function<op::Function::reciprocal>},
                                 {"Relu", Values::one, 0, 0, read_function<op::Function::relu>},
                                 {"Resize", Values::one, 1, 3, read_resize},
                                 {"Selu", Values::one, 0, 0, read_selu},
                                 {"Sigmoid", Values::one, 0, 0, read_function<op::Function::sigmoid>},
                                 {"Softplus", Values::one, 0, 0, read_function<op::Function::softplus>},
                                 {"SpaceToDepth", Values::one, 0, 0, read_space_to_depth},
                                 {"Sqrt", Values::one, 0, 0, read_function<op::Function::sqrt>},
                                 {"Tanh", Values::one, 0, 0, read_function<op::Function::tanh>},
                                 {"Upsample", Values::one, 0, 1, read_resize}};

Status check_counts(const OpReader& reader, const OpSource& source) {
  const std::size_t constants = source.constants.size();
  const std::string_view computed =
      reader.type == "MatMul" ? "it multiplies two values, as attention does; only a constant matrix is read"
      : reader.read == read_conv || reader.read == read_conv_transpose
          ? "its filters are computed from the image; only constant ones are read"
          : "";
  if (constants == 0 && source.values.size() > 1 && !computed.empty()) return Error{std::string(computed)};
  if (reader.read == read_concat && constants > 0)
    return Error{"it joins a constant to values, as a class token or coordinates, which is not supported"};
  if (constants < reader.least_constants || constants > reader.most_constants) {
    return Error{fmt::format("it has {} constant inputs, which is not what the op takes", constants)};
  }
  for (std::size_t i = 0; i < reader.least_constants; ++i) {
    const bool optional = reader.read == read_resize;
    if (source.constants[i].left_out() && !optional)
      return Error{"a constant input that it needs is left out"};
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
  if (reader == std::end(kReaders)) return Error{kNoRule};
  RETURN_IF_ERROR(check_counts(*reader, source));
  return reader->read(source);
}

}  // namespace concertina::onnx
