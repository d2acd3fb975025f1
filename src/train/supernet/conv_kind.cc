#include "train/supernet/conv_kind.h"

#include <fmt/format.h>

#include "train/supernet/conv.h"

namespace concertina::train {

std::string name_of(const ConvKind& kind) {
  const op::Conv& conv = kind.conv;
  const Window& w = conv.window;
  std::string name =
      fmt::format("{} to {}, {}x{}", to_string(kind.input), conv.out_channels, w.kernel_h, w.kernel_w);
  if (w.stride_h != 1 || w.stride_w != 1) name += fmt::format(", stride {}x{}", w.stride_h, w.stride_w);
  if (w.pad_top + w.pad_left + w.pad_bottom + w.pad_right != 0)
    name += fmt::format(", padding {} {} {} {}", w.pad_top, w.pad_left, w.pad_bottom, w.pad_right);
  if (w.dilation_h != 1 || w.dilation_w != 1)
    name += fmt::format(", dilation {}x{}", w.dilation_h, w.dilation_w);
  if (conv.groups != 1) name += fmt::format(", {} groups", conv.groups);
  if (conv.bias) name += ", bias";
  if (kind.first) name += ", first";
  if (kind.normalized) name += ", then a norm";
  return name;
}

std::vector<std::optional<ConvKind>> conv_kinds(const Graph& graph) {
  std::vector<std::optional<ConvKind>> kinds(static_cast<std::size_t>(graph.size()));
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (std::holds_alternative<op::BatchNorm>(node.op) && kinds[node.inputs[0]])
      kinds[node.inputs[0]]->normalized = true;
    const auto* conv = std::get_if<op::Conv>(&node.op);
    if (!conv || !has_own_kernels(*conv)) continue;
    const NodeId input = node.inputs[0];
    kinds[id] = {.conv = *conv, .input = graph.shape(input), .first = input < graph.inputs()};
  }
  return kinds;
}

}  // namespace concertina::train
