#include "runtime/pixel_units.h"

#include "kernels/layout.h"
#include "kernels/planar_conv.h"
#include "runtime/transposed.h"

namespace concertina::runtime {
namespace {

/// Whether a kernel of which `suits` is true runs every part of a convolution without groups.
template <typename Suits>
bool is_run_by(const PlanSource& source, const std::vector<PixelLayout>& layouts, const Operation& operation,
               const Suits& suits) {
  const auto* conv = source.op_if<op::Conv>(operation);
  if (conv == nullptr || conv->groups > 1 || has_parts(*conv)) return false;
  const auto inputs = input_ranges(layouts[operation.inputs[0]]);
  const std::vector<PixelSegment>& to = layouts[operation.output].segments;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const PackedFilter& packed = source.packed.filters(source.graph.node(operation.node))[i];
    const ConvChoice choice =
        source.choose(source.graph.node(operation.node), conv_choices(packed, inputs, to[i].count));
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

/// For every value the floats to which the segments of its pixel are padded. layouts: of the sub-net's values
/// in whole vectors.
std::vector<int> pixel_units(const PlanSource& source, const std::vector<PixelLayout>& layouts) {
  const std::size_t values = source.program.values.size();
  const auto root = [&](ValueId id) { return static_cast<std::size_t>(source.storage.placement(id).root); };
  std::vector<bool> narrow(values, true);  // of roots: with all that lies in them
  for (const Operation& operation : source.program.operations) {
    if (is_run_by(source, layouts, operation, is_planar)) continue;
    for (const ValueId id : operation.inputs) narrow[root(id)] = false;
    if (operation.residual != kNone) narrow[root(operation.residual)] = false;
    narrow[root(operation.output)] = false;
  }
  for (const ValueId id : source.program.outputs) narrow[root(id)] = false;
  std::vector<int> units;
  for (ValueId id = 0; id < static_cast<ValueId>(values); ++id) {
    units.push_back(narrow[root(id)] ? kernels::kPlanarBlock : kernels::vector_lanes());
  }
  return units;
}

/// The inputs of the network that all readers take in planes, as they come.
std::vector<bool> plain_values(const PlanSource& source, const std::vector<PixelLayout>& layouts) {
  std::vector<bool> plain;
  for (const Value& value : source.program.values) plain.push_back(value.dense);
  for (const Operation& operation : source.program.operations) {
    for (const ValueId id : operation.inputs) {
      const auto i = static_cast<std::size_t>(id);
      if (plain[i]) plain[i] = is_run_by(source, layouts, operation, reads_planes);
    }
  }
  return plain;
}

}  // namespace

std::vector<PixelLayout> pixel_layouts(const PlanSource& source, const Subnet& subnet) {
  const std::vector<Value>& values = source.program.values;
  const auto layouts = [&](const std::vector<int>& units) {
    std::vector<PixelLayout> all;
    for (std::size_t i = 0; i < values.size(); ++i) {
      all.push_back(pixel_layout(source.graph.layout(), values[i], subnet, units[i]));
    }
    return all;
  };
  const auto whole_vectors = layouts(std::vector(values.size(), kernels::vector_lanes()));
  std::vector<PixelLayout> all = layouts(pixel_units(source, whole_vectors));
  const std::vector<bool> plain = plain_values(source, whole_vectors);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].plain = plain[i];
  return all;
}

}  // namespace concertina::runtime
