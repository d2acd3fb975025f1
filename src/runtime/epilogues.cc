#include "runtime/epilogues.h"

#include <cmath>

namespace concertina::runtime {
namespace {

/// What is done to each feature: y = x * scale + shift.
struct FeatureAffine {
  std::vector<double> scale;
  std::vector<double> shift;
};

/// A per-feature array of `node`: the sub-net's own, or the active part of the shared one.
std::vector<double> active_part(const PlanSource& source, NodeId node, const char* parameter,
                                const Subnet& subnet, const Weights& own) {
  const Graph& graph = source.graph;
  const std::string name = parameter_name(graph.node(node), parameter);
  if (const auto found = own.find(name); found != own.end())
    return {found->second.values.begin(), found->second.values.end()};
  const Array& full = source.weights.at(name);
  std::vector<double> part;
  for (const auto& [begin, count] : graph.layout().active_ranges(graph.axis(node), subnet)) {
    part.insert(part.end(), full.values.begin() + begin, full.values.begin() + begin + count);
  }
  return part;
}

/// What nodes do one after the other, for the active features of a sub-net, all segments together: the bias
/// of a convolution or linear layer, a batch norm, a scale, a shift.
class Composition {
 public:
  Composition(const PlanSource& source, const Subnet& subnet, const Weights& own, std::size_t features)
      : source_(source),
        subnet_(subnet),
        own_(own),
        result_{Doubles(features, 1.0), Doubles(features, 0.0)} {}

  void add(NodeId node) {
    const Op& op = source_.graph.node(node).op;
    if (const auto* norm = std::get_if<op::BatchNorm>(&op)) add_norm(node, norm->epsilon);
    const bool group_norm = std::holds_alternative<op::GroupNorm>(op);
    if (std::holds_alternative<op::Scale>(op) || std::holds_alternative<op::PRelu>(op) || group_norm)
      multiply(array(node, "weight"));
    if (std::holds_alternative<op::Shift>(op) || has_bias(op) || group_norm) add(array(node, "bias"));
  }
  FeatureAffine take() { return std::move(result_); }

 private:
  using Doubles = std::vector<double>;

  static bool has_bias(const Op& op) {
    if (const auto* conv = std::get_if<op::Conv>(&op)) return conv->bias;
    if (const auto* linear = std::get_if<op::Linear>(&op)) return linear->bias;
    return false;
  }

  void add_norm(NodeId node, double epsilon) {
    const std::string& name = source_.graph.node(node).name;
    const std::vector<float>& mean = own_.at(name + ".running_mean").values;
    const std::vector<float>& variance = own_.at(name + ".running_var").values;
    Doubles factors = array(node, "weight");
    for (std::size_t c = 0; c < factors.size(); ++c) {
      factors[c] /= std::sqrt(variance[c] + epsilon);
      result_.shift[c] -= mean[c];
    }
    multiply(factors);
    add(array(node, "bias"));
  }
  void multiply(const Doubles& factors) {
    for (std::size_t c = 0; c < factors.size(); ++c) {
      result_.scale[c] *= factors[c];
      result_.shift[c] *= factors[c];
    }
  }
  void add(const Doubles& summands) {
    for (std::size_t c = 0; c < summands.size(); ++c) result_.shift[c] += summands[c];
  }
  Doubles array(NodeId node, const char* parameter) const {
    return active_part(source_, node, parameter, subnet_, own_);
  }

  const PlanSource& source_;
  const Subnet& subnet_;
  const Weights& own_;
  FeatureAffine result_;
};

bool has_epilogue(const Graph& graph, const Operation& operation) {
  if (operation.node == kNone) return false;
  const Op& op = graph.node(operation.node).op;
  const bool layer = std::holds_alternative<op::Conv>(op) || std::holds_alternative<op::Linear>(op);
  return layer || std::holds_alternative<op::BatchNorm>(op) || std::holds_alternative<op::GroupNorm>(op) ||
         std::holds_alternative<op::PRelu>(op) || std::holds_alternative<op::Scale>(op) ||
         std::holds_alternative<op::Shift>(op);
}

}  // namespace

Epilogues::Epilogues(const PlanSource& source, const MemoryMap& map, const Subnet& subnet, const Weights& own,
                     int lanes)
    : source_(source), map_(map), subnet_(subnet), own_(own), lanes_(lanes) {
  std::size_t size = 0;
  for (const Operation& operation : source.program.operations) {
    if (has_epilogue(source.graph, operation))
      size += (operation.slopes == kNone ? 2 : 3) * array_size(operation);
  }
  memory_ = AlignedBuffer(size);
}

kernels::Epilogue Epilogues::next(const Operation& operation) {
  const NodeId last = operation.affine.empty() ? operation.node : operation.affine.back();
  const auto composed = [&](NodeId first, const std::vector<NodeId>& others) {
    const int features = active_shape(source_.graph, last, subnet_).channels;
    Composition composition(source_, subnet_, own_, static_cast<std::size_t>(features));
    composition.add(first);
    for (const NodeId node : others) composition.add(node);
    return composition.take();
  };
  const FeatureAffine affine = composed(operation.node, operation.affine);
  kernels::Epilogue epilogue{
      .scale = place(affine.scale, operation), .shift = place(affine.shift, operation), .act = operation.act};
  kernels::PointwiseFunction function = operation.function;
  if (operation.slopes != kNone) function.slope = place(composed(operation.slopes, {}).scale, operation);
  epilogue.function = kernels::fused(function);
  return epilogue;
}

const float* Epilogues::place(const std::vector<double>& values, const Operation& operation) {
  float* placed = memory_.data() + used_;
  used_ += array_size(operation);
  std::size_t feature = 0;
  for (const PixelSegment& segment : map_.layout(operation.output).segments) {
    for (int i = 0; i < segment.count; ++i, ++feature) {
      placed[segment.offset + i] = static_cast<float>(values[feature]);
    }
  }
  return placed;
}

// As kernels::epilogue_size(): two vectors may be read past the last feature.
std::size_t Epilogues::array_size(const Operation& operation) const {
  return in_lines(static_cast<std::size_t>(map_.layout(operation.output).size + 2 * lanes_));
}

}  // namespace concertina::runtime
