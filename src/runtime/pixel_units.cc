#include "runtime/pixel_units.h"

#include "kernels/layout.h"
#include "kernels/planar_conv.h"
#include "runtime/plan_conv.h"

namespace concertina::runtime {
namespace {

/// Whether a kernel of which `suits` is true runs every part of a convolution without groups.
template <typename Suits>
bool is_run_by(const PlanSource& source, const std::vector<PixelLayout>& layouts, const Operation& step,
               const Suits& suits) {
  if (step.node == kNone) return false;
  const Node& node = source.network.graph.node(step.node);
  const auto* conv = std::get_if<op::Conv>(&node.op);
  if (conv == nullptr || conv->groups > 1) return false;
  const auto inputs = input_ranges(layouts[step.inputs[0]]);
  const std::vector<PixelSegment>& to = layouts[step.output].segments;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const PackedFilter& packed = source.packed.filters(step.node)[i];
    const ConvChoice choice = source.choose(node, conv_choices(packed, inputs, to[i].count));
    if (!suits(choice.kernel, packed.window)) return false;
  }
  return true;
}

bool is_planar(ConvKernel kernel, const kernels::WindowArgs&) {
  return kernel == ConvKernel::planar;
}

bool reads_planes(ConvKernel kernel, const kernels::WindowArgs& window) {
  return kernel == ConvKernel::planar || (kernel == ConvKernel::direct && kernels::conv_reads_planes(window));
}

}  // namespace

std::vector<int> pixel_units(const PlanSource& source, const std::vector<PixelLayout>& layouts) {
  const std::size_t values = source.program.values.size();
  const auto root = [&](ValueId id) { return static_cast<std::size_t>(source.storage.placement(id).root); };
  std::vector<bool> narrow(values, true);  // of roots: with all that lies in them
  for (const Operation& step : source.program.steps) {
    if (is_run_by(source, layouts, step, is_planar)) continue;
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

std::vector<bool> plain_values(const PlanSource& source, const std::vector<PixelLayout>& layouts) {
  std::vector<bool> plain;
  for (const Value& value : source.program.values) plain.push_back(value.dense);
  for (const Operation& step : source.program.steps) {
    for (const ValueId id : step.inputs) {
      const auto i = static_cast<std::size_t>(id);
      if (plain[i]) plain[i] = is_run_by(source, layouts, step, reads_planes);
    }
  }
  return plain;
}

}  // namespace concertina::runtime
