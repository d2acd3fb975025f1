#include "runtime/epilogues.h"

#include "runtime/feature_affine.h"

namespace concertina::runtime {
namespace {

bool has_epilogue(const Graph& graph, const Operation& step) {
  if (step.node == kNone) return false;
  const Op& op = graph.node(step.node).op;
  const bool layer = std::holds_alternative<op::Conv>(op) || std::holds_alternative<op::Linear>(op);
  return layer || std::holds_alternative<op::BatchNorm>(op) || std::holds_alternative<op::Scale>(op) ||
         std::holds_alternative<op::Shift>(op);
}

}  // namespace

Epilogues::Epilogues(const Network& network, const Program& program, const MemoryMap& map,
                     const Subnet& subnet, const Weights& own, int lanes)
    : network_(network), map_(map), subnet_(subnet), own_(own), lanes_(lanes) {
  std::size_t size = 0;
  for (const Operation& step : program.steps) {
    if (has_epilogue(network.graph, step)) size += 2 * array_size(step);
  }
  memory_ = AlignedBuffer(size);
}

kernels::Epilogue Epilogues::next(const Operation& step) {
  std::vector<NodeId> nodes = {step.node};
  nodes.insert(nodes.end(), step.affine.begin(), step.affine.end());
  const FeatureAffine affine = feature_affine(network_, nodes, subnet_, own_);
  float* scale = memory_.data() + used_;
  float* shift = scale + array_size(step);
  used_ += 2 * array_size(step);
  std::size_t feature = 0;
  for (const PixelSegment& segment : map_.layout(step.output).segments) {
    for (int i = 0; i < segment.count; ++i, ++feature) {
      scale[segment.offset + i] = static_cast<float>(affine.scale[feature]);
      shift[segment.offset + i] = static_cast<float>(affine.shift[feature]);
    }
  }
  return {.scale = scale, .shift = shift, .act = step.act};
}

// As kernels::epilogue_size(): two vectors may be read past the last feature.
std::size_t Epilogues::array_size(const Operation& step) const {
  constexpr int kLine = AlignedBuffer::kAlignment / sizeof(float);
  return static_cast<std::size_t>(kernels::round_up(map_.layout(step.output).size + 2 * lanes_, kLine));
}

}  // namespace concertina::runtime
