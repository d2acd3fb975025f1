#include "runtime/pixel_units.h"

#include "kernels/planar_conv.h"
#include "kernels/target.h"
#include "runtime/plan_conv.h"

namespace concertina::runtime {
namespace {

bool is_planar(const PlanSource& source, const std::vector<PixelLayout>& layouts, const FusedStep& step) {
  if (step.node == kNone) return false;
  const Node& node = source.network.graph.node(step.node);
  const auto* conv = std::get_if<op::Conv>(&node.op);
  if (conv == nullptr || conv->groups > 1) return false;
  const auto inputs = input_ranges(layouts[static_cast<std::size_t>(step.inputs[0])]);
  const std::vector<PixelSegment>& to = layouts[static_cast<std::size_t>(step.output)].segments;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const PackedFilter& packed = source.packed.filters(step.node)[i];
    const ConvChoice choice = source.choose(node, conv_choices(packed, inputs, to[i].count));
    if (choice.kernel != ConvKernel::kPlanar) return false;
  }
  return true;
}

}  // namespace

std::vector<int> pixel_units(const PlanSource& source, const std::vector<PixelLayout>& layouts) {
  const std::size_t values = source.program.values.size();
  const auto root = [&](ValueId id) { return static_cast<std::size_t>(source.storage.placement(id).root); };
  std::vector<bool> narrow(values, true);  // of roots: with all that lies in them
  for (const FusedStep& step : source.program.steps) {
    if (is_planar(source, layouts, step)) continue;
    for (const ValueId id : step.inputs) narrow[root(id)] = false;
    if (step.residual != kNone) narrow[root(step.residual)] = false;
    narrow[root(step.output)] = false;
  }
  for (const ValueId id : source.program.outputs) narrow[root(id)] = false;
  std::vector<int> units;
  for (ValueId id = 0; id < static_cast<ValueId>(values); ++id) {
    units.push_back(narrow[root(id)] ? kernels::kPlanarBlock : kernels::vector_lanes());
  }
  return units;
}

}  // namespace concertina::runtime
