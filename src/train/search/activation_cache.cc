#include "train/search/activation_cache.h"

#include <algorithm>

namespace concertina::train {

ActivationCache::ActivationCache(const Graph& graph)
    : graph_(graph), wanted_(static_cast<std::size_t>(graph.size()), false) {
  for (int d = 0; d < graph.layout().free_dimensions; ++d) {
    const auto& producers = graph.layout().dimensions[d].producers;
    first_touched_.push_back(*std::min_element(producers.begin(), producers.end()));
  }
  // To begin at a node takes all values from before it that it or a later node reads.
  const auto want = [&](NodeId input, NodeId reader) {
    for (const NodeId first : first_touched_) {
      if (input < first && first <= reader) wanted_[input] = true;
    }
  };
  for (NodeId reader = 0; reader < graph.size(); ++reader) {
    for (const NodeId input : graph.node(reader).inputs) want(input, reader);
  }
  // Of a Softmax at the end a teacher compares the input.
  for (const NodeId output : graph.outputs()) {
    want(output, graph.size());
    for (const NodeId input : graph.node(output).inputs) want(input, graph.size());
  }
}

void ActivationCache::record(const Subnet& subnet) {
  subnet_ = subnet;
  batches_.clear();
}

ForwardOptions ActivationCache::recording(std::size_t batch) {
  batches_.resize(std::max(batches_.size(), batch + 1));
  return {.keep = &wanted_, .kept = &batches_[batch]};
}

ForwardOptions ActivationCache::resuming(const Subnet& subnet, std::size_t batch) const {
  const NodeId first = first_changed(subnet);
  if (first == graph_.inputs()) return {};
  return {.first = first, .before = &batches_[batch]};
}

NodeId ActivationCache::first_changed(const Subnet& subnet) const {
  const bool other_images = subnet_ && subnet.resolution != subnet_->resolution;
  // What an equal sub-net would need is not kept.
  if (!subnet_ || subnet == *subnet_ || other_images) return graph_.inputs();
  NodeId first = graph_.size();
  for (std::size_t d = 0; d < first_touched_.size(); ++d) {
    if (subnet.widths[d] != subnet_->widths[d]) first = std::min(first, first_touched_[d]);
  }
  return first;
}

}  // namespace concertina::train
