#include "onnx/desugar.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "base/try.h"
#include "onnx/attributes.h"
#include "onnx/layout_from_onnx.h"
#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

/// Over the channels of each pixel, in any layout; before operator set 13 over all dimensions from the given
/// one on.
Status read_softmax(const DesugarSource& source) {
  RETURN_IF_ERROR(source.values[0].spread ? Status(Error{"it reads what an Expand has repeated"}) : Status());
  const OnnxValue& value = source.values[0];
  const std::vector<int> sizes = value.view.sizes();
  const int rank = static_cast<int>(sizes.size()) + 1;
  const bool old = source.operator_set < 13;
  Attributes attributes(source.node);
  const int listed = attributes.integer("axis", old ? 1 : -1, -8);
  RETURN_IF_ERROR(attributes.done());
  const int axis = listed < 0 ? listed + rank : listed;
  if (value.view.channel_dimension() != axis - 1)
    return Error{fmt::format("it works along axis {}, not along the channels", listed)};
  const bool behind = std::any_of(sizes.begin() + axis, sizes.end(), [](int size) { return size > 1; });
  if (old && behind)
    return Error{"before operator set 13 it normalises over whole maps, which is not supported"};
  op::Softmax softmax;
  softmax.logarithm = source.node.op_type() == "LogSoftmax";
  return source.assembly.add_in_layout(source.node, {softmax, {}}, {value});
}

/// The channels [begin, end).
op::Slice run(int begin, int end) {
  op::Slice slice;
  slice.begin = begin;
  slice.end = end;
  return slice;
}

/// As runs of consecutive channels.
Result<std::vector<op::Slice>> gathered_runs(const DesugarSource& source) {
  constexpr std::size_t kMostRuns = 64;
  ASSIGN_OR_RETURN(const auto tensor, source.constants[0].tensor());
  if (tensor->values.empty() || tensor->shape.size() > 1)
    return Error{"it does not gather a list of channels"};
  const int channels = source.values[0].shape.channels;
  std::vector<op::Slice> runs;
  for (const auto& index : to_integers(*tensor)) {
    const std::int64_t place = index.value_or(channels), at = place < 0 ? place + channels : place;
    if (at < 0 || at >= channels) return Error{fmt::format("it gathers channel {} of {}", place, channels)};
    const auto begin = static_cast<int>(at);
    if (!runs.empty() && runs.back().end == begin) {
      ++runs.back().end;
    } else {
      runs.push_back(run(begin, begin + 1));
    }
    if (runs.size() > kMostRuns)
      return Error{fmt::format("it reorders channels in more than {} runs", kMostRuns)};
  }
  return runs;
}

/// Those channels, one run after the other.
Status join_runs(const DesugarSource& source, const std::vector<op::Slice>& runs, const std::string& output) {
  GraphAssembly& assembly = source.assembly;
  std::vector<OnnxValue> parts;
  for (const op::Slice& slice : runs) {
    const std::string name = runs.size() == 1 ? source.name() : source.name() + ".run";
    const std::string part = runs.size() == 1 ? output : assembly.hidden_name(name);
    RETURN_IF_ERROR(assembly.add_op(name, {slice, {}}, {source.values[0]}, part));
    parts.push_back(*assembly.find_value(part));
  }
  return runs.size() == 1 ? Status() : assembly.add_op(source.name(), {op::Concat{}, {}}, parts, output);
}

/// One channel, which may be without its dimension, or a list of them.
Status read_gather(const DesugarSource& source) {
  RETURN_IF_ERROR(settled(source));
  const int axis = Attributes(source.node).integer("axis", 0, -4);
  if ((axis != 1 && axis != 1 - source.values[0].rank) || source.constants.size() != 1)
    return Error{"it gathers something else than channels"};
  ASSIGN_OR_RETURN(const auto runs, gathered_runs(source));
  ASSIGN_OR_RETURN(const auto tensor, source.constants[0].tensor());
  if (!tensor->shape.empty()) return join_runs(source, runs, source.output());
  const std::string hidden = source.assembly.hidden_name(source.name());
  RETURN_IF_ERROR(join_runs(source, runs, hidden));
  OnnxValue part = *source.assembly.find_value(hidden);
  std::vector<int> sizes = part.view.sizes();
  sizes.erase(sizes.begin());
  ASSIGN_OR_RETURN(part.view, part.view.reshaped(sizes));
  return source.assembly.add_value(source.output(), part);
}

/// All channels so many times over.
Status read_tile(const DesugarSource& source) {
  RETURN_IF_ERROR(settled(source));
  constexpr std::int64_t kMostTimes = 64;
  ASSIGN_OR_RETURN(const auto tensor, source.constants[0].tensor());
  const auto times = to_integers(*tensor);
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (i != 1 && times[i] != 1) return Error{"it repeats something else than channels"};
  }
  const OnnxValue& value = source.values[0];
  if (static_cast<int>(times.size()) != value.rank || times[1].value_or(0) < 1 || times[1] > kMostTimes)
    return Error{fmt::format("it does not repeat channels 1 to {} times", kMostTimes)};
  if (times[1] == 1) return source.assembly.add_alias(source.output(), value);
  const std::vector<OnnxValue> copies(static_cast<std::size_t>(*times[1]), value);
  return source.assembly.add_op(source.name(), {op::Concat{}, {}}, copies, source.output());
}

/// One factor for each channel.
OpWithArrays scale(Array factors) {
  op::Scale scale;
  scale.channels = factors.shape[0];
  return {scale, {std::move(factors)}};
}

OpWithArrays negative(const OnnxValue& value) {
  return scale(same_for_all_channels(value.shape.channels, -1));
}

OpWithArrays function(op::Function function) {
  return {op::activation(function), {}};
}

/// A value and a constant. What is computed channel by channel may be in any layout, which stays.
Status read_arithmetic(const DesugarSource& source) {
  OnnxValue value = source.values[0];
  ASSIGN_OR_RETURN(Array array, per_channel(value, source.constants[0]));
  const auto change = [&](auto function) {
    std::transform(array.values.begin(), array.values.end(), array.values.begin(), function);
  };
  const std::string& type = source.node.op_type();
  if (type == "Div" && source.constant_first) {
    const bool ones = std::all_of(array.values.begin(), array.values.end(), [](float x) { return x == 1; });
    if (ones) return source.assembly.add_in_layout(source.node, function(op::Function::reciprocal), {value});
    ASSIGN_OR_RETURN(value, add_hidden(source, ".inverse", function(op::Function::reciprocal), {value}));
  } else if (type == "Div") {
    change([](float x) { return 1 / x; });
  }
  if (type == "Mul" || type == "Div")
    return source.assembly.add_in_layout(source.node, scale(std::move(array)), {value});
  if (type == "Sub" && source.constant_first) {
    ASSIGN_OR_RETURN(value, add_hidden(source, ".negative", negative(value), {value}));
    op::Shift shift;
    shift.channels = value.shape.channels;
    return source.assembly.add_in_layout(source.node, {shift, {std::move(array)}}, {value});
  }
  if (type == "Sub") change(std::negate<>());
  return source.assembly.add_constant_to(source.node, value, std::move(array));
}

Status read_negative(const DesugarSource& source) {
  return source.assembly.add_in_layout(source.node, negative(source.values[0]), source.values);
}

/// What repeats values of one pixel over a map, or one channel over all, waits for arithmetic, which does
/// that by itself.
Status read_expand(const DesugarSource& source) {
  RETURN_IF_ERROR(settled(source));
  OnnxValue value = source.values[0];
  ASSIGN_OR_RETURN(const auto tensor, source.constants[0].tensor());
  const auto wanted = to_integers(*tensor);
  std::vector<int> sizes = value.view.sizes();
  if (wanted.size() > sizes.size() + 1) return Error{"it adds dimensions"};
  const std::int64_t batch = wanted.size() > sizes.size() ? wanted[0].value_or(1) : 1;
  if (batch != 1 && batch != source.batch) return Error{"it repeats the batch"};
  for (std::size_t i = 0; i < wanted.size() && i < sizes.size(); ++i) {
    int& size = sizes[sizes.size() - 1 - i];
    const std::int64_t to = wanted[wanted.size() - 1 - i].value_or(0);
    if (to < 1 || to > kMaxSize || (to != 1 && size != 1 && to != size))
      return Error{fmt::format("it cannot repeat {} values {} times", size, to)};
    size = std::max(size, static_cast<int>(to));
  }
  if (sizes != value.view.sizes()) {
    sizes.resize(3, 1);  // of a vector, too
    value.spread = Shape{sizes[0], sizes[1], sizes[2]};
  }
  return source.assembly.add_alias(source.output(), value);
}

Status read_prelu(const DesugarSource& source) {
  const OnnxValue& value = source.values[0];
  ASSIGN_OR_RETURN(Array slopes, per_channel(value, source.constants[0]));
  op::PRelu prelu;
  prelu.channels = value.shape.channels;
  return source.assembly.add_in_layout(source.node, {prelu, {std::move(slopes)}}, {value});
}

/// A linear layer at every pixel of N x H x W x C: a convolution of one pixel. False if the value is not
/// that.
Result<bool> read_pixel_linear(const DesugarSource& source) {
  const OnnxValue& value = source.values[0];
  constexpr int kPixelsFirst[] = {1, 2, 0};
  if (value.settled() || value.view != View::map(value.shape).transposed(kPixelsFirst)) return false;
  ASSIGN_OR_RETURN(const std::vector<int> sizes, source.constants[0].sizes(2));
  ASSIGN_OR_RETURN(const Array weight, source.constants[0].floats());
  RETURN_IF_ERROR(Attributes(source.node).done());
  op::Conv conv;
  conv.in_channels = sizes[0];
  conv.out_channels = sizes[1];
  conv.bias = false;
  Array filters{.shape = {sizes[1], sizes[0], 1, 1}, .values = std::vector<float>(weight.values.size())};
  for (std::size_t i = 0; i < weight.values.size(); ++i) {
    const std::size_t in = i / static_cast<std::size_t>(sizes[1]),
                      out = i % static_cast<std::size_t>(sizes[1]);
    filters.values[out * static_cast<std::size_t>(sizes[0]) + in] = weight.values[i];
  }
  const std::string hidden = source.assembly.hidden_name(source.name());
  RETURN_IF_ERROR(source.assembly.add_op(source.name(), {conv, {std::move(filters)}}, {value}, hidden));
  OnnxValue made = *source.assembly.find_value(hidden);
  made.view = made.view.transposed(kPixelsFirst);
  RETURN_IF_ERROR(source.assembly.settle(source.node, made));
  return true;
}

/// x * x, x * x * x, and roots and reciprocals.
Status read_power(const DesugarSource& source) {
  const OnnxValue& value = source.values[0];
  ASSIGN_OR_RETURN(const double exponent, source.constants[0].scalar());
  if (exponent == 2) return source.assembly.add_in_layout(source.node, {op::Mul{}, {}}, {value, value});
  if (exponent == 0.5)
    return source.assembly.add_in_layout(source.node, function(op::Function::sqrt), {value});
  if (exponent == -1)
    return source.assembly.add_in_layout(source.node, function(op::Function::reciprocal), {value});
  if (exponent == -0.5) {
    ASSIGN_OR_RETURN(const OnnxValue root,
                     add_hidden(source, ".root", function(op::Function::sqrt), {value}));
    return source.assembly.add_in_layout(source.node, function(op::Function::reciprocal), {root});
  }
  if (exponent != 3)
    return Error{fmt::format("its exponent is {}; 2, 3, 0.5, -0.5 and -1 are supported", exponent)};
  ASSIGN_OR_RETURN(const OnnxValue square, add_hidden(source, ".square", {op::Mul{}, {}}, {value, value}));
  return source.assembly.add_in_layout(source.node, {op::Mul{}, {}}, {square, value});
}

/// The larger or the smaller of a value and one number.
Status read_bound(const DesugarSource& source) {
  constexpr float kMost = std::numeric_limits<float>::max();
  ASSIGN_OR_RETURN(const double number, source.constants[0].scalar());
  const auto limit = static_cast<float>(number);
  op::Activation clip = op::activation(op::Function::clip, -kMost, kMost);
  (source.node.op_type() == "Max" ? clip.a : clip.b) = limit;
  const bool relu = source.node.op_type() == "Max" && limit == 0;
  return source.assembly.add_in_layout(source.node, {relu ? op::relu() : clip, {}}, source.values);
}

/// a - b and a / b in any layout.
Status read_inverse_pair(const DesugarSource& source) {
  if (source.values.size() != 2) return Error{"it reads the wrong number of values"};
  const OnnxValue& second = source.values[1];
  const bool difference = source.node.op_type() == "Sub";
  ASSIGN_OR_RETURN(const OnnxValue inverse,
                   difference ? add_hidden(source, ".negative", negative(second), {second})
                              : add_hidden(source, ".inverse", function(op::Function::reciprocal), {second}));
  std::vector<OnnxValue> pair = {source.values[0], inverse};
  larger_first(pair);
  return source.assembly.add_in_layout(source.node, {difference ? Op(op::Add{}) : Op(op::Mul{}), {}}, pair);
}

/// The sum of all, in pairs.
Status read_sum(const DesugarSource& source) {
  RETURN_IF_ERROR(settled(source));
  const std::vector<OnnxValue>& values = source.values;
  if (values.size() == 1) return source.assembly.add_alias(source.output(), values[0]);
  OnnxValue sum = values[0];
  for (std::size_t i = 1; i < values.size(); ++i) {
    std::vector<OnnxValue> pair = {sum, values[i]};
    larger_first(pair);
    const bool last = i + 1 == values.size();
    const std::string name = last ? source.name() : source.name() + ".sum";
    const std::string output = last ? source.output() : source.assembly.hidden_name(name);
    RETURN_IF_ERROR(source.assembly.add_op(name, {op::Add{}, {}}, pair, output));
    sum = *source.assembly.find_value(output);
  }
  return {};
}

}  // namespace

Array same_for_all_channels(int channels, float number) {
  return {.shape = {channels}, .values = std::vector<float>(static_cast<std::size_t>(channels), number)};
}

Result<OnnxValue> add_hidden(const DesugarSource& source, const char* what, OpWithArrays op,
                             const std::vector<OnnxValue>& values) {
  const std::string output = source.assembly.hidden_name(source.name() + what);
  RETURN_IF_ERROR(source.assembly.add_op(source.name() + what, std::move(op), values, output));
  OnnxValue made = *source.assembly.find_value(output);
  made.view = values[0].view;
  return made;
}

Status settled(const DesugarSource& source) {
  for (const OnnxValue& value : source.values) {
    if (!value.settled()) {
      return Error{fmt::format("it reads {}, an order of values that is neither a map's nor a vector's",
                               fmt::join(value.view.sizes(), "x"))};
    }
  }
  return {};
}

Result<Array> per_channel(const OnnxValue& value, const Constant& constant) {
  if (constant.count() > kMaxSize) return Error{"its constant is too large"};
  ASSIGN_OR_RETURN(Array array, constant.floats());
  const auto channels = static_cast<std::size_t>(value.shape.channels);
  const int dimensions = static_cast<int>(value.view.sizes().size());
  const int skipped = dimensions - static_cast<int>(array.shape.size());  // of the value's, behind the batch
  bool fits = skipped >= -1 && !value.spread;
  for (int d = 0; d < static_cast<int>(array.shape.size()); ++d) {
    const bool of_channels = value.view.channel_dimension() == d + skipped;
    fits = fits && (array.shape[d] == 1 || (of_channels && array.shape[d] == value.shape.channels));
  }
  if (!fits) {
    return Error{fmt::format("its constant of {} is not one number for each of {} channels",
                             fmt::join(array.shape, "x"), channels)};
  }
  if (array.values.size() == 1) array.values.assign(channels, array.values[0]);
  array.shape = {value.shape.channels};
  return array;
}

Result<bool> desugar(const DesugarSource& source) {
  const std::string& type = source.node.op_type();
  const std::size_t values = source.values.size(), constants = source.constants.size();
  const auto done = [](const Status& status) {
    return status ? Result<bool>(true) : Result<bool>(status.error());
  };
  const bool arithmetic =
      type == "Add" || type == "Sub" || type == "Mul" || type == "Div" || type == "Max" || type == "Min";
  if (source.constant_first && !arithmetic && type != "Concat")
    return Error{"it reads a constant where a value was expected"};
  constexpr std::string_view kReductions[] = {"ReduceL2", "ReduceMax", "ReduceMean", "ReduceSum",
                                              "ReduceSumSquare"};
  if (std::find(std::begin(kReductions), std::end(kReductions), type) != std::end(kReductions))
    return done(read_reduction(source));
  if ((type == "Softmax" || type == "LogSoftmax") && values == 1 && constants == 0)
    return done(read_softmax(source));
  if (type == "Gather" && values == 1) return done(read_gather(source));
  if (type == "Tile" && values == 1 && constants == 1) return done(read_tile(source));
  if (type == "Conv" && values == 1) return read_line_conv(source);
  if (type == "Split" && values == 1) return done(read_split(source));
  if (type == "Slice" && values == 1) return done(read_slice(source));
  if (type == "Concat" && constants == 0) return read_pixel_concat(source);
  if ((type == "Max" || type == "Min") && values == 1 && constants == 1) return done(read_bound(source));
  if (type == "Neg" && values == 1) return done(read_negative(source));
  if (arithmetic && values == 1 && constants == 1) return done(read_arithmetic(source));
  if (type == "InstanceNormalization") return done(read_instance_norm(source));
  if (type == "GroupNormalization") return done(read_group_norm(source));
  if (type == "LayerNormalization") return done(read_layer_norm(source));
  if (type == "MatMul" && values == 1 && constants == 1) return read_pixel_linear(source);
  if (type == "Expand" && values == 1 && constants == 1) return done(read_expand(source));
  if (type == "PRelu" && values == 1 && constants == 1) return done(read_prelu(source));
  if (type == "Pow" && values == 1 && constants == 1) return done(read_power(source));
  if ((type == "Sub" || type == "Div") && constants == 0) return done(read_inverse_pair(source));
  if (type == "Sum" && constants == 0) return done(read_sum(source));
  return false;
}

void larger_first(std::vector<OnnxValue>& pair) {
  if (pair[0].shape.elements() < pair[1].shape.elements()) std::swap(pair[0], pair[1]);
}

}  // namespace concertina::onnx
