#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/try.h"
#include "onnx/attributes.h"
#include "onnx/desugar_source.h"
#include "onnx/layout_from_onnx.h"
#include "onnx/tensor.h"

/// Nodes that cut maps, or join them: along channels, rows or columns.
namespace concertina::onnx {
namespace {

/// What is taken of one axis.
struct Run {
  int begin = 0, end = 0, step = 1;

  bool whole(int size) const { return begin == 0 && end == size && step == 1; }
};

/// Of channels, rows and columns.
struct Part {
  Run channels, rows, columns;
};

Part whole_of(const Shape& shape) {
  return {{0, shape.channels}, {0, shape.height}, {0, shape.width}};
}

Run& along(Part& part, int axis) {
  return axis == 1 ? part.channels : axis == 2 ? part.rows : part.columns;
}

std::vector<Op> ops_of(const Part& part, const Shape& shape) {
  std::vector<Op> ops;
  if (!part.channels.whole(shape.channels)) {
    op::Slice slice;
    slice.begin = part.channels.begin;
    slice.end = part.channels.end;
    ops.emplace_back(slice);
  }
  op::Pad cut;
  cut.top = -part.rows.begin;
  cut.left = -part.columns.begin;
  cut.bottom = part.rows.end - shape.height;
  cut.right = part.columns.end - shape.width;
  if (cut != op::Pad{}) ops.emplace_back(cut);
  if (part.rows.step > 1 || part.columns.step > 1) {
    op::MaxPool pool;  // of one pixel
    pool.window.stride_h = part.rows.step;
    pool.window.stride_w = part.columns.step;
    ops.emplace_back(pool);
  }
  return ops;
}

Status add_part(const DesugarSource& source, const std::string& name, const Part& part,
                const std::string& output) {
  OnnxValue value = source.values[0];
  const std::vector<Op> ops = ops_of(part, value.shape);
  if (ops.empty()) return source.assembly.add_alias(output, value);
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const std::string made = i + 1 == ops.size() ? output : source.assembly.hidden_name(name);
    RETURN_IF_ERROR(source.assembly.add_op(name, {ops[i], {}}, {value}, made));
    value = *source.assembly.find_value(made);
  }
  return {};
}

/// The list of a node of either kind: an attribute, or a constant.
Result<std::vector<std::int64_t>> given(const DesugarSource& source, Attributes& attributes, const char* name,
                                        std::size_t i) {
  return listed(OpSource{source.node, source.operator_set, {}, {}, source.constants}, attributes, name, i);
}

struct Slices {
  std::vector<std::int64_t> starts, ends, axes, steps;
};

Result<Slices> slices_of(const DesugarSource& source) {
  Attributes attributes(source.node);
  Slices all;
  ASSIGN_OR_RETURN(all.starts, given(source, attributes, "starts", 0));
  ASSIGN_OR_RETURN(all.ends, given(source, attributes, "ends", 1));
  ASSIGN_OR_RETURN(all.axes, given(source, attributes, "axes", 2));
  ASSIGN_OR_RETURN(all.steps, given(source, attributes, "steps", 3));
  RETURN_IF_ERROR(attributes.done());
  const std::size_t count = all.starts.size();
  for (std::size_t i = 0; all.axes.size() < count && i < count; ++i)
    all.axes.push_back(static_cast<std::int64_t>(i));
  if (all.steps.empty()) all.steps.assign(count, 1);
  if (count == 0 || all.ends.size() != count || all.axes.size() != count || all.steps.size() != count)
    return Error{"its starts, ends and axes do not fit together"};
  return all;
}

Status take(const Slices& all, std::size_t i, int axis, const Shape& shape, Part& part) {
  const int size = axis == 1 ? shape.channels : axis == 2 ? shape.height : shape.width;
  const auto place = [&](std::int64_t at) {
    return static_cast<int>(std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size));
  };
  const Run run{place(all.starts[i]), place(all.ends[i]),
                static_cast<int>(std::clamp<std::int64_t>(all.steps[i], 0, size))};
  if (all.steps[i] < 1) return Error{"it turns the order of an axis around"};
  if (axis == 1 && run.step > 1) return Error{"it takes every so many channels, not a run of them"};
  if (run.begin >= run.end) return Error{"it takes nothing"};
  along(part, axis) = run;
  return {};
}

/// 1: channels, 2: rows, 3: columns, 0: the batch.
Result<int> axis_of_map(std::int64_t axis, int rank) {
  const std::int64_t at = axis < 0 ? axis + rank : axis;
  if (at < 0 || at >= rank) return Error{fmt::format("its axis {} is none of {}", axis, rank)};
  return static_cast<int>(at);
}

}  // namespace

Status read_slice(const DesugarSource& source) {
  RETURN_IF_ERROR(settled(source));
  const OnnxValue& value = source.values[0];
  ASSIGN_OR_RETURN(const Slices all, slices_of(source));
  Part part = whole_of(value.shape);
  for (std::size_t i = 0; i < all.starts.size(); ++i) {
    ASSIGN_OR_RETURN(const int axis, axis_of_map(all.axes[i], value.rank));
    const bool all_images = all.starts[i] == 0 && all.steps[i] == 1 &&
                            (all.ends[i] > kMaxSize || (source.batch > 0 && all.ends[i] >= source.batch));
    if (axis == 0 && !all_images) return Error{"it takes a part of the batch"};
    if (axis > 0) RETURN_IF_ERROR(take(all, i, axis, value.shape, part));
  }
  return add_part(source, source.name(), part, source.output());
}

Status read_split(const DesugarSource& source) {
  RETURN_IF_ERROR(settled(source));
  const OnnxValue& value = source.values[0];
  Attributes attributes(source.node);
  ASSIGN_OR_RETURN(const int axis, axis_of_map(attributes.integer("axis", 0, -4), value.rank));
  ASSIGN_OR_RETURN(std::vector<std::int64_t> parts, given(source, attributes, "split", 0));
  attributes.ignore("num_outputs");
  RETURN_IF_ERROR(attributes.done());
  if (axis == 0) return Error{"it splits the batch"};
  Part whole = whole_of(value.shape);
  const int outputs = source.node.output_size(), size = along(whole, axis).end;
  const int each = (size + outputs - 1) / outputs;
  for (int i = 0; i < outputs && static_cast<int>(parts.size()) < outputs; ++i)
    parts.push_back(std::min(each, size - i * each));
  int begin = 0;
  for (int i = 0; i < outputs; ++i) {
    const std::int64_t end = begin + std::min<std::int64_t>(parts[i], kMaxSize);
    if (parts[i] < 1 || end > size) return Error{"its parts do not fit the axis"};
    along(whole, axis) = {begin, static_cast<int>(end)};
    begin = static_cast<int>(end);
    if (source.node.output(i).empty()) continue;
    RETURN_IF_ERROR(add_part(source, fmt::format("{}.{}", source.name(), i), whole, source.node.output(i)));
  }
  return begin == size ? Status() : Status(Error{"its parts do not fit the axis"});
}

/// Along rows or columns: the sum of all, each with zeros where the others are. False if it is along another
/// axis.
Result<bool> read_pixel_concat(const DesugarSource& source) {
  const auto is_map = [](const OnnxValue& value) { return value.settled() && value.rank == 4; };
  if (!std::all_of(source.values.begin(), source.values.end(), is_map)) return false;
  Attributes attributes(source.node);
  ASSIGN_OR_RETURN(const int axis, axis_of_map(attributes.integer("axis", 1, -4), 4));
  RETURN_IF_ERROR(attributes.done());
  if (axis < 2) return false;
  std::int64_t size = 0;
  const auto length = [&](const OnnxValue& value) {
    return axis == 2 ? value.shape.height : value.shape.width;
  };
  for (const OnnxValue& value : source.values) size += length(value);
  if (size > kMaxSize) return Error{"it has too many rows or columns"};
  std::optional<OnnxValue> sum;
  int before = 0;
  for (std::size_t i = 0; i < source.values.size(); ++i) {
    op::Pad pad;
    const int after = static_cast<int>(size) - before - length(source.values[i]);
    (axis == 2 ? pad.top : pad.left) = before;
    (axis == 2 ? pad.bottom : pad.right) = after;
    before += length(source.values[i]);
    const bool last = i + 1 == source.values.size();
    const std::string padded =
        last && !sum ? source.output() : source.assembly.hidden_name(source.name() + ".padded");
    RETURN_IF_ERROR(source.assembly.add_op(source.name() + ".padded", {pad, {}}, {source.values[i]}, padded));
    const OnnxValue part = *source.assembly.find_value(padded);
    if (sum) {
      const std::string joined = last ? source.output() : source.assembly.hidden_name(source.name());
      RETURN_IF_ERROR(source.assembly.add_op(source.name(), {op::Add{}, {}}, {*sum, part}, joined));
      sum = *source.assembly.find_value(joined);
    } else {
      sum = part;
    }
  }
  return true;
}

}  // namespace concertina::onnx
