#include "onnx/layout_from_onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/try.h"
#include "onnx/attributes.h"
#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

constexpr std::size_t kMaxDimensions = 8;

struct LayoutSource {
  const onnx::NodeProto& node;
  const View& view;
  const std::vector<Constant>& constants;
  std::int64_t batch;

  std::vector<int> sizes() const { return view.sizes(); }
  int rank() const { return static_cast<int>(view.sizes().size()) + 1; }
  bool has_constant() const { return !constants.empty() && !constants[0].left_out(); }
};

/// Products of sizes that may be anything: above this they stay as they are.
constexpr std::int64_t kHuge = kMaxSize * kMaxSize;

std::int64_t product(const std::vector<int>& sizes) {
  std::int64_t product = 1;
  for (const int size : sizes) product = std::min(product * size, kHuge);
  return product;
}

Result<View> transpose(const LayoutSource& source) {
  const std::vector<std::int64_t> order = Attributes(source.node).list("perm");
  std::vector<std::int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::int64_t> all(static_cast<std::size_t>(source.rank()));
  std::iota(all.begin(), all.end(), 0);
  if (sorted != all || order[0] != 0) return Error{"it moves the batch or is no permutation"};
  std::vector<int> behind;
  for (std::size_t i = 1; i < order.size(); ++i) behind.push_back(static_cast<int>(order[i]) - 1);
  return source.view.transposed(behind);
}

Result<View> flatten(const LayoutSource& source) {
  const int axis = Attributes(source.node).integer("axis", 1, -8);
  if (axis != 1 && axis != 1 - source.rank()) return Error{"it does not flatten from the channels on"};
  const std::int64_t features = product(source.sizes());
  if (features > std::numeric_limits<int>::max()) return Error{"its result is too large"};
  return source.view.reshaped(std::vector{static_cast<int>(features)});
}

/// The sizes behind the batch that a Reshape asks for.
Result<View> reshape(const LayoutSource& source) {
  if (source.constants.size() != 1 || !source.has_constant()) return Error{"its shape is not constant"};
  ASSIGN_OR_RETURN(const auto tensor, source.constants[0].tensor());
  const auto listed = to_integers(*tensor);
  const std::vector<int> old = source.sizes();
  if (listed.empty() || listed.size() > kMaxDimensions)
    return Error{"its shape is not a list of a few sizes"};
  const bool copies = Attributes(source.node).integer("allowzero", 0) == 0;
  if (!copies && std::find(listed.begin(), listed.end(), 0) != listed.end())
    return Error{"it makes a value without elements ('allowzero' and a size of 0)"};
  const std::int64_t batch = listed[0].value_or(0);
  // A batch of 1 is what exporters write that were given one image.
  const bool other = source.batch > 0 ? batch >= 1 && batch != source.batch : batch > 1;
  if (batch < -1 || other) return Error{"it changes the batch"};
  std::vector<int> sizes;
  std::int64_t others = 1;
  for (std::size_t i = 1; i < listed.size(); ++i) {
    if (!listed[i] || *listed[i] < -1 || *listed[i] > kMaxSize)
      return Error{"its shape depends on the batch"};
    const bool copied = *listed[i] == 0 && i - 1 < old.size();
    sizes.push_back(copied ? old[i - 1] : static_cast<int>(*listed[i]));
    if (sizes.back() > 0) others = std::min(others * sizes.back(), kHuge);
  }
  const auto open = std::find(sizes.begin(), sizes.end(), -1);
  if (open != sizes.end()) {
    if (batch == -1) return Error{"its shape leaves two sizes open"};
    const std::int64_t size = product(old) / others;
    if (size > std::numeric_limits<int>::max()) return Error{"its result is too large"};
    *open = static_cast<int>(size);
  }
  return source.view.reshaped(sizes);
}

Result<View> unsqueeze(const LayoutSource& source) {
  std::vector<int> sizes = source.sizes();
  const auto added = source.has_constant() ? static_cast<std::size_t>(source.constants[0].count())
                                           : Attributes(source.node).list("axes").size();
  if (sizes.size() + added > kMaxDimensions) return Error{"its result has too many dimensions"};
  ASSIGN_OR_RETURN(const auto axes,
                   listed_axes(source.node, source.constants, source.rank() + static_cast<int>(added)));
  for (const int axis : axes) {
    if (axis > static_cast<int>(sizes.size())) return Error{"its axes leave gaps"};
    sizes.insert(sizes.begin() + axis, 1);
  }
  return source.view.reshaped(sizes);
}

Result<View> squeeze(const LayoutSource& source) {
  std::vector<int> sizes = source.sizes();
  ASSIGN_OR_RETURN(auto axes, listed_axes(source.node, source.constants, source.rank()));
  if (axes.empty() && source.batch == 1) return Error{"it drops the batch, which is 1"};
  for (std::size_t i = 0; axes.empty() && i < sizes.size(); ++i) {
    if (sizes[i] == 1) axes.push_back(static_cast<int>(i));
  }
  for (std::size_t i = axes.size(); i-- > 0;) {
    if (sizes[axes[i]] != 1) return Error{"it drops a dimension of several values"};
    sizes.erase(sizes.begin() + axes[i]);
  }
  return source.view.reshaped(sizes);
}

constexpr struct {
  std::string_view type;
  Result<View> (*lay_out)(const LayoutSource&);
} kLayoutOps[] = {{"Flatten", flatten},
                  {"Reshape", reshape},
                  {"Squeeze", squeeze},
                  {"Transpose", transpose},
                  {"Unsqueeze", unsqueeze}};

}  // namespace

bool is_layout_op(const std::string& type) {
  return std::any_of(std::begin(kLayoutOps), std::end(kLayoutOps),
                     [&](const auto& op) { return op.type == type; });
}

Result<View> laid_out(const onnx::NodeProto& node, const View& view, const std::vector<Constant>& constants,
                      std::int64_t batch) {
  return std::find_if(std::begin(kLayoutOps), std::end(kLayoutOps),
                      [&](const auto& op) { return op.type == node.op_type(); })
      ->lay_out({node, view, constants, batch});
}

Result<std::vector<int>> listed_axes(const onnx::NodeProto& node, const std::vector<Constant>& constants,
                                     int rank) {
  std::vector<std::int64_t> listed;
  if (constants.empty() || constants[0].left_out()) {
    listed = Attributes(node).list("axes");
  } else {
    ASSIGN_OR_RETURN(const auto tensor, constants[0].tensor());
    for (const auto& axis : to_integers(*tensor)) listed.push_back(axis.value_or(-rank));
  }
  return placed_axes(listed, rank);
}

Result<std::vector<int>> placed_axes(const std::vector<std::int64_t>& listed, int rank) {
  std::vector<int> axes;
  for (const std::int64_t axis : listed) {
    const std::int64_t at = axis < 0 ? axis + rank : axis;
    if (at < 1 || at >= rank) return Error{fmt::format("its axis {} is the batch or none", axis)};
    axes.push_back(static_cast<int>(at) - 1);
  }
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) return Error{"it lists an axis twice"};
  return axes;
}

}  // namespace concertina::onnx
