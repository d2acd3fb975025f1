#include "base/try.h"
#include "onnx/attributes.h"
#include "onnx/desugar_source.h"
#include "onnx/layout_from_onnx.h"

namespace concertina::onnx {
namespace {

/// The mean, the largest or the sum along whole axes, one op for the pixels and one for the channels.
std::vector<OpWithArrays> reductions(const Shape& shape, const View::Axes& axes,
                                     op::ChannelReduce::Kind kind) {
  using Kind = op::ChannelReduce::Kind;
  const bool max = kind == Kind::max;
  std::vector<OpWithArrays> ops;
  const bool pixels = shape.height > 1 || shape.width > 1;
  const bool of_pixels = (axes.rows && shape.height > 1) || (axes.columns && shape.width > 1);
  const Window window{.kernel_h = axes.rows ? shape.height : 1, .kernel_w = axes.columns ? shape.width : 1};
  if (of_pixels && max) {
    op::MaxPool pool;
    pool.window = window;
    ops.push_back({pool, {}});
  } else if (axes.rows && axes.columns && (pixels || !axes.channels)) {
    ops.push_back({op::GlobalAveragePool{}, {}});
  } else if (of_pixels) {
    op::AveragePool pool;
    pool.window = window;
    ops.push_back({pool, {}});
  }
  const int summed = window.kernel_h * window.kernel_w;
  if (kind == Kind::sum && summed > 1) {
    op::Scale scale;
    scale.channels = shape.channels;
    ops.push_back({scale, {same_for_all_channels(shape.channels, static_cast<float>(summed))}});
  }
  if (axes.channels && (shape.channels > 1 || ops.empty())) {
    op::ChannelReduce reduce;
    reduce.kind = kind;
    ops.push_back({reduce, {}});
  }
  if (ops.empty()) ops.push_back({op::GlobalAveragePool{}, {}});
  return ops;
}

}  // namespace

Status read_reduction(const DesugarSource& source) {
  OnnxValue value = source.values[0];
  ASSIGN_OR_RETURN(const auto dimensions, listed_axes(source.node, source.constants,
                                                      static_cast<int>(value.view.sizes().size()) + 1));
  const bool keep = Attributes(source.node).integer("keepdims", 1) != 0;
  const std::string& type = source.node.op_type();
  const auto axes = value.view.whole_axes(dimensions);
  if (value.spread || dimensions.empty() || !axes)
    return Error{"it reduces something else than all rows, all columns or all channels"};
  using Kind = op::ChannelReduce::Kind;
  const bool length = type == "ReduceL2", squares = length || type == "ReduceSumSquare";
  const Kind kind = type == "ReduceMean" ? Kind::mean : type == "ReduceMax" ? Kind::max : Kind::sum;
  std::vector<OpWithArrays> ops = reductions(value.shape, *axes, kind);
  if (length) ops.push_back({op::activation(op::Function::sqrt), {}});
  const View view = value.view.reduced(dimensions, keep);
  const bool settles = value.rank == 4 ? view.is_map() : view.is_vector();
  if (squares) {
    ASSIGN_OR_RETURN(value, add_hidden(source, ".squares", {op::Mul{}, {}}, {value, value}));
  }
  OnnxValue reduced = value;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const bool here = settles && i + 1 == ops.size();
    const std::string output = here ? source.output() : source.assembly.hidden_name(source.name());
    RETURN_IF_ERROR(source.assembly.add_op(here ? source.name() : source.name() + ".map", std::move(ops[i]),
                                           {reduced}, output));
    reduced = *source.assembly.find_value(output);
  }
  if (settles) return {};
  reduced.view = view;
  return source.assembly.settle(source.node, reduced);
}

}  // namespace concertina::onnx
