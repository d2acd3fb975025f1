#include "graph/channel_analysis.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/graph.h"

namespace concertina {

ChannelAxis ChannelAnalysis::produce(NodeId producer, int channels) {
  const int dimension = static_cast<int>(dimensions_.size());
  parent_.push_back(dimension);
  dimensions_.push_back({.name = nodes_[static_cast<std::size_t>(producer)].name,
                         .channels = channels,
                         .producers = {producer},
                         .couplings = {},
                         .locks = {}});
  return {{dimension, 1}};
}

void ChannelAnalysis::reproduce(const ChannelAxis& axis, NodeId producer, std::string why) {
  for (const Segment& segment : axis) {
    ChannelDimension& dimension = dimensions_[static_cast<std::size_t>(root(segment.dimension))];
    dimension.producers.push_back(producer);
    dimension.couplings.push_back({producer, why});
  }
}

void ChannelAnalysis::couple(const ChannelAxis& a, const ChannelAxis& b, NodeId via) {
  const auto channels = [this](const Segment& s) {
    return dimensions_[static_cast<std::size_t>(s.dimension)].channels;
  };
  const bool alike = std::equal(
      a.begin(), a.end(), b.begin(), b.end(),
      [&](const Segment& x, const Segment& y) { return channels(x) == channels(y) && x.repeat == y.repeat; });
  if (!alike) {
    const std::string why = fmt::format("'{}' joins channels that come from differently cut sources",
                                        nodes_[static_cast<std::size_t>(via)].name);
    lock(a, via, why);
    lock(b, via, why);
    return;
  }
  for (std::size_t i = 0; i < a.size(); ++i) unite(a[i].dimension, b[i].dimension, via);
}

void ChannelAnalysis::lock(const ChannelAxis& axis, NodeId node, std::string why) {
  for (const Segment& segment : axis) {
    dimensions_[static_cast<std::size_t>(root(segment.dimension))].locks.push_back({node, why});
  }
}

int ChannelAnalysis::root(int dimension) const {
  while (parent_[static_cast<std::size_t>(dimension)] != dimension) {
    dimension = parent_[static_cast<std::size_t>(dimension)];
  }
  return dimension;
}

void ChannelAnalysis::unite(int a, int b, NodeId via) {
  a = root(a);
  b = root(b);
  if (a == b) return;
  if (b < a) std::swap(a, b);
  ChannelDimension& kept = dimensions_[static_cast<std::size_t>(a)];
  ChannelDimension& gone = dimensions_[static_cast<std::size_t>(b)];
  kept.couplings.push_back(
      {via, fmt::format("'{}' combines the outputs of '{}' and '{}' channel by channel",
                        nodes_[static_cast<std::size_t>(via)].name, kept.name, gone.name)});
  const auto move_all = [](auto& from, auto& to) { to.insert(to.end(), from.begin(), from.end()); };
  move_all(gone.producers, kept.producers);
  move_all(gone.couplings, kept.couplings);
  move_all(gone.locks, kept.locks);
  parent_[static_cast<std::size_t>(b)] = a;
}

ChannelLayout ChannelAnalysis::finish(std::vector<ChannelAxis> axes) {
  ChannelLayout layout;
  std::vector<int> number(dimensions_.size(), -1);
  for (const bool locked : {false, true}) {
    for (std::size_t d = 0; d < dimensions_.size(); ++d) {
      if (root(static_cast<int>(d)) != static_cast<int>(d) || dimensions_[d].locked() != locked) continue;
      number[d] = static_cast<int>(layout.dimensions.size());
      std::sort(dimensions_[d].producers.begin(), dimensions_[d].producers.end());
      layout.dimensions.push_back(std::move(dimensions_[d]));
    }
    if (!locked) layout.free_dimensions = static_cast<int>(layout.dimensions.size());
  }
  for (ChannelAxis& axis : axes) {
    for (Segment& segment : axis)
      segment.dimension = number[static_cast<std::size_t>(root(segment.dimension))];
  }
  layout.axes = std::move(axes);
  return layout;
}

}  // namespace concertina
