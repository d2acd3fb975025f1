#include "graph/channel_analysis.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "graph/graph.h"

namespace concertina {
namespace {

// Bounds the work that a strange network can ask for. Real ones need a few rounds.
constexpr int kMaxRounds = 64;
constexpr std::size_t kMaxParts = 1024;
constexpr std::size_t kMaxSegments = std::size_t{1} << 22;

constexpr std::size_t kMaxReasons = 64;  // of one dimension; one is enough to lock it

void add_reason(std::vector<Reason>& reasons, NodeId node, const std::string& text) {
  const bool known = !reasons.empty() && reasons.back().node == node && reasons.back().text == text;
  if (!known && reasons.size() < kMaxReasons) reasons.push_back({node, text});
}

}  // namespace

ChannelAxis ChannelAnalysis::produce(NodeId producer, int channels) {
  const std::string& name = nodes_[producer].name;
  const auto found = cuts_.find(producer);
  const std::map<int, Cut::Part> parts = found == cuts_.end() ? Cut().parts : found->second.parts;
  ChannelAxis axis;
  for (auto part = parts.begin(); part != parts.end(); ++part) {
    const int begin = part->first;
    const int end = std::next(part) == parts.end() ? channels : std::next(part)->first;
    const int dimension = static_cast<int>(dimensions_.size());
    parent_.push_back(dimension);
    origins_.push_back({.producer = producer, .first_feature = begin, .granule = part->second.granule});
    dimensions_.push_back({.name = parts.size() == 1 ? name : fmt::format("{}[{}:{}]", name, begin, end),
                           .channels = (end - begin) / part->second.granule,
                           .granule = part->second.granule,
                           .producers = {producer},
                           .couplings = part->second.reasons,
                           .locks = {}});
    axis.push_back({dimension, part->second.granule});
  }
  return axis;
}

void ChannelAnalysis::reproduce(const ChannelAxis& axis, NodeId producer, std::string why) {
  for (const Segment& segment : axis) {
    ChannelDimension& dimension = dimensions_[root(segment.dimension)];
    if (dimension.producers.back() == producer) continue;  // the axis has it twice
    dimension.producers.push_back(producer);
    add_reason(dimension.couplings, producer, why);
  }
}

void ChannelAnalysis::couple(const ChannelAxis& a, const ChannelAxis& b, NodeId via, const std::string& why) {
  const std::string& name = nodes_[via].name;
  const Reason cut_why = {
      via, why.empty() ? fmt::format("'{}' combines it with channels that are cut this way", name) : why};
  bool fits = true;
  std::size_t i = 0, j = 0;
  int begin_a = 0, begin_b = 0;
  while (fits && i < a.size() && j < b.size()) {
    const int count_a = features(a[i]), count_b = features(b[j]);
    const int end = std::min(begin_a + count_a, begin_b + count_b);
    if (begin_a == begin_b && count_a == count_b) {
      const int finer = std::min(a[i].repeat, b[j].repeat), coarser = std::max(a[i].repeat, b[j].repeat);
      if (finer == coarser) {
        unite(a[i].dimension, b[j].dimension, via, why);
      } else {
        fits = coarser % finer == 0 && coarsen(a[i].repeat == finer ? a[i] : b[j], coarser / finer, cut_why);
      }
    } else if (end < begin_a + count_a) {
      fits = cut(a[i], end - begin_a, cut_why);
    } else if (end < begin_b + count_b) {
      fits = cut(b[j], end - begin_b, cut_why);
    }
    if (end == begin_a + count_a) begin_a = end, ++i;
    if (end == begin_b + count_b) begin_b = end, ++j;
  }
  if (fits) return;
  const std::string sentence =
      why.empty() ? fmt::format("'{}' joins channels that come from differently cut sources", name)
                  : why + " on channels that come from differently cut sources";
  lock(a, via, sentence);
  lock(b, via, sentence);
}

ChannelAxis ChannelAnalysis::slice(const ChannelAxis& axis, int begin, int end, NodeId via) {
  const std::string& name = nodes_[via].name;
  const Reason why = {via, fmt::format("'{}' takes the channels {} to {} only", name, begin, end)};
  ChannelAxis part;
  bool fits = true;
  int at = 0;
  for (const Segment& segment : axis) {
    const int next = at + features(segment);
    for (const int edge : {begin, end}) {
      if (edge > at && edge < next) fits = fits && cut(segment, edge - at, why);
    }
    if (at >= begin && next <= end) part.push_back(segment);
    at = next;
  }
  if (features(part) == end - begin) return part;
  part = produce(via, end - begin);  // known to be wrong: this round is not the last, or they are locked
  if (!fits) {
    const std::string sentence = fmt::format("'{}' cuts where the channels are in one piece", name);
    lock(axis, via, sentence);
    lock(part, via, sentence);
  }
  return part;
}

ChannelAxis ChannelAnalysis::regroup(const ChannelAxis& axis, int in, int out, NodeId producer) {
  const std::string& name = nodes_[producer].name;
  const Reason why = {producer, fmt::format("'{}' reads its channels in groups of {}", name, in)};
  if (axis.size() == 1) {
    const int repeat = axis[0].repeat;
    if (repeat % in == 0) {
      const ChannelAxis made = {{axis[0].dimension, repeat / in * out}};
      reproduce(made, producer,
                fmt::format("'{}' makes {} channels of each {} that it reads", name, out, in));
      return made;
    }
    if (in % repeat == 0 && coarsen(axis[0], in / repeat, why))
      return produce(producer, features(axis) / in * out);
  }
  const std::string sentence =
      fmt::format("'{}' reads its channels in groups, which do not fit the pieces of its input", name);
  const ChannelAxis made = produce(producer, features(axis) / in * out);
  lock(axis, producer, sentence);
  lock(made, producer, sentence);
  return made;
}

void ChannelAnalysis::lock(const ChannelAxis& axis, NodeId node, std::string why) {
  for (const Segment& segment : axis) {
    add_reason(dimensions_[root(segment.dimension)].locks, node, why);
  }
}

int ChannelAnalysis::features(const Segment& segment) const {
  return dimensions_[segment.dimension].channels * segment.repeat;
}

int ChannelAnalysis::features(const ChannelAxis& axis) const {
  int sum = 0;
  for (const Segment& segment : axis) sum += features(segment);
  return sum;
}

bool ChannelAnalysis::cut(const Segment& segment, int at, Reason why) {
  if (last_ || at % segment.repeat != 0) return false;
  const Origin& origin = origins_[segment.dimension];
  std::map<int, Cut::Part>& parts = cuts_[origin.producer].parts;
  if (parts.size() >= kMaxParts) return false;
  const Cut::Part& first = parts.at(origin.first_feature);
  const int feature = origin.first_feature + at / segment.repeat * origin.granule;
  if ((feature - origin.first_feature) % first.granule != 0) return true;  // coarsened in this round
  Cut::Part second = {.granule = first.granule, .reasons = {std::move(why)}};
  cut_again_ = parts.emplace(feature, std::move(second)).second || cut_again_;
  return true;
}

bool ChannelAnalysis::coarsen(const Segment& segment, int by, Reason why) {
  const ChannelDimension& dimension = dimensions_[segment.dimension];
  if (last_ || dimension.channels % by != 0) return false;
  const Origin& origin = origins_[segment.dimension];
  Cut& cut = cuts_[origin.producer];
  Cut::Part& part = cut.parts.at(origin.first_feature);
  const int wanted = origin.granule * by;
  const auto next = cut.parts.upper_bound(origin.first_feature);
  // A cut of this round may have left too little of it; the next round will see.
  const bool whole = next == cut.parts.end() || (next->first - origin.first_feature) % wanted == 0;
  cut_again_ = true;
  if (!whole || part.granule % wanted == 0) return true;
  part.granule = wanted;
  part.reasons.push_back(std::move(why));
  return true;
}

int ChannelAnalysis::root(int dimension) const {
  const auto parent = [this](int d) -> int& { return parent_[d]; };
  while (parent(dimension) != dimension) {
    parent(dimension) = parent(parent(dimension));  // halves the way for those who come later
    dimension = parent(dimension);
  }
  return dimension;
}

void ChannelAnalysis::unite(int a, int b, NodeId via, const std::string& why) {
  a = root(a);
  b = root(b);
  if (a == b) return;
  if (b < a) std::swap(a, b);
  ChannelDimension& kept = dimensions_[a];
  ChannelDimension& gone = dimensions_[b];
  add_reason(kept.couplings, via,
             why.empty() ? fmt::format("'{}' combines the outputs of '{}' and '{}' channel by channel",
                                       nodes_[via].name, kept.name, gone.name)
                         : why);
  for (const Reason& reason : gone.couplings) add_reason(kept.couplings, reason.node, reason.text);
  for (const Reason& reason : gone.locks) add_reason(kept.locks, reason.node, reason.text);
  kept.producers.insert(kept.producers.end(), gone.producers.begin(), gone.producers.end());
  for (auto* list : {&gone.couplings, &gone.locks}) list->clear();
  gone.producers.clear();
  parent_[b] = a;
}

ChannelLayout ChannelAnalysis::finish(std::vector<ChannelAxis> axes) {
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    ChannelDimension& dimension = dimensions_[d];
    if (root(static_cast<int>(d)) != static_cast<int>(d) || dimension.channels > 1) continue;
    dimension.locks.push_back(
        {dimension.producers[0], fmt::format("'{}' has one {} only", dimension.name,
                                             dimension.granule > 1 ? "group of channels" : "channel")});
  }
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
    for (Segment& segment : axis) segment.dimension = number[root(segment.dimension)];
  }
  layout.axes = std::move(axes);
  return layout;
}

namespace {

/// Couples the axes along which a node's arrays lie with those of the nodes that own the arrays. How many
/// segments it looked at.
std::size_t couple_ties(std::span<const Node> nodes, std::span<const ChannelAxis> axes,
                        const std::unordered_map<std::string_view, NodeId>& ids, NodeId id,
                        ChannelAnalysis& analysis) {
  const Node& node = nodes[id];
  if (node.tied.empty()) return 0;
  std::size_t segments = 0;
  for (const Parameter& parameter : parameters_of(node.op)) {
    const auto tied = node.tied.find(parameter.name);
    if (tied == node.tied.end()) continue;
    const NodeId owner = ids.at(tied->second);
    const std::string why = fmt::format("'{}' uses the weights of '{}'", node.name, tied->second);
    const auto couple = [&](NodeId a, NodeId b) {
      if (a == b) return;
      analysis.couple(axes[a], axes[b], id, why);
      segments += axes[a].size() + axes[b].size();
    };
    for (const ParameterAxis axis : parameter.axes) {
      if (axis == ParameterAxis::output_channels) couple(owner, id);
      if (axis == ParameterAxis::input_channels) couple(nodes[owner].inputs[0], node.inputs[0]);
    }
  }
  return segments;
}

}  // namespace

ChannelLayout analyse_channels(std::span<const Node> nodes, std::span<const NodeId> outputs) {
  Cuts cuts;
  bool last = false;
  for (int round = 1;; ++round) {
    last = last || round >= kMaxRounds;
    ChannelAnalysis analysis(nodes, std::move(cuts), last);
    std::vector<ChannelAxis> axes;
    std::unordered_map<std::string_view, NodeId> ids;
    std::size_t segments = 0;
    for (NodeId id = 0; id < static_cast<NodeId>(nodes.size()) && segments <= kMaxSegments; ++id) {
      const Node& node = nodes[id];
      std::vector<ChannelAxis> inputs;
      for (const NodeId input : node.inputs) inputs.push_back(axes[input]);
      const ChannelContext context{analysis, id, node.name, inputs};
      axes.push_back(std::visit([&](const auto& op) { return op.output_channels(context); }, node.op));
      ids.emplace(node.name, id);
      segments += axes.back().size() + couple_ties(nodes, axes, ids, id, analysis);
    }
    if (segments > kMaxSegments && !last) {  // without cuts there are fewer
      cuts.clear();
      last = true;
      continue;
    }
    if (analysis.cut_again()) {
      cuts = analysis.take_cuts();
      continue;
    }
    axes.resize(nodes.size());
    for (const NodeId output : outputs) {
      analysis.lock(axes[output], output, fmt::format("'{}' is the network's output", nodes[output].name));
    }
    return analysis.finish(std::move(axes));
  }
}

}  // namespace concertina
