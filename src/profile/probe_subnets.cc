#include "profile/probe_subnets.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <span>

#include "base/random.h"
#include "graph/cost.h"

namespace concertina::profile {
namespace {

constexpr int kMaxSubnets = 300;  // if the network's dimensions meet in more ways, some pairs are left out
constexpr int kNothing = -1;

int dimension_count(const Graph& graph) {
  return graph.layout().free_dimensions;
}

int channels_of(const Graph& graph, int dimension) {
  return graph.layout().dimensions[dimension].channels;
}

/// A dimension before a layer and one behind it; kNothing: a dimension alone.
using Meeting = std::pair<int, int>;

std::set<int> free_dimensions(const Graph& graph, NodeId id) {
  std::set<int> dimensions;
  for (const Segment& segment : graph.axis(id)) {
    if (segment.dimension < dimension_count(graph)) dimensions.insert(segment.dimension);
  }
  return dimensions;
}

/// Where a concatenation comes in between, widths meet in so many ways that chance has to do.
std::set<Meeting> meetings_of(const Graph& graph) {
  std::set<Meeting> meetings;
  for (int d = 0; d < dimension_count(graph); ++d) meetings.emplace(d, kNothing);
  const Subnet full = full_subnet(graph);
  for (NodeId id = graph.inputs(); id < graph.size(); ++id) {
    if (macs_of(graph, id, full) == 0) continue;
    const auto before = free_dimensions(graph, graph.node(id).inputs[0]), behind = free_dimensions(graph, id);
    if (before.size() == 1 && behind.size() == 1 && before != behind)
      meetings.emplace(*before.begin(), *behind.begin());
  }
  return meetings;
}

/// The pairs of widths that are still wanted, and sub-nets that have many of them.
class Covering {
 public:
  Covering(const Graph& graph, int count, int vector) : random_(1, 2) {
    for (int d = 0; d < dimension_count(graph); ++d) {
      widths_.push_back(probe_widths(channels_of(graph, d), count, vector));
      vectors_.emplace_back();
      for (const int width : widths_.back()) vectors_.back().push_back((width + vector - 1) / vector);
    }
    for (const auto& [before, behind] : meetings_of(graph)) {
      for (const int width : choices(before)) {
        if (behind == kNothing) {
          wanted_.insert({before, width, kNothing, 0});
        } else {
          for (const int other : choices(behind)) wanted_.insert(key(before, width, behind, other));
        }
      }
    }
  }

  bool complete() const { return wanted_.empty(); }

  /// A sub-net that has at least one wanted pair. Precondition: !complete().
  Subnet next() {
    chosen_.assign(widths_.size(), kNothing);
    const auto [before, width, behind, vectors] = *wanted_.begin();
    chosen_[at(before)] = width;
    if (behind != kNothing) {
      const auto& list = vectors_[at(behind)];
      chosen_[at(behind)] = static_cast<int>(std::find(list.begin(), list.end(), vectors) - list.begin());
    }
    for (const std::int64_t d : random_permutation()) {
      if (chosen_[d] == kNothing) choose(static_cast<int>(d));
    }
    return take();
  }

  Subnet full() {
    chosen_.clear();
    for (const auto& widths : widths_) chosen_.push_back(static_cast<int>(widths.size()) - 1);
    return take();
  }

 private:
  /// Dimension before, index of its width, dimension behind, vectors of its width.
  using Key = std::array<int, 4>;

  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  Key key(int before, int width, int behind, int other) const {
    return {before, width, behind, vectors_[at(behind)][at(other)]};
  }

  std::vector<int> choices(int dimension) const {
    std::vector<int> indices(widths_[at(dimension)].size());
    for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<int>(i);
    return indices;
  }

  std::vector<std::int64_t> random_permutation() {
    return CounterRandom(3, turn_++).permutation(static_cast<std::int64_t>(widths_.size()));
  }

  /// Wanted pairs of a width with what has been chosen; and, for a tie, those that it may still get.
  std::pair<int, int> gain(int dimension, int width) const {
    int now = 0, later = 0;
    for (const Key& pair : wanted_) {
      const auto [before, first, behind, vectors] = pair;
      const bool is_before = before == dimension && first == width;
      const bool is_behind = behind == dimension && vectors == vectors_[at(dimension)][at(width)];
      if (!is_before && !is_behind) continue;
      ++later;
      if (is_before && behind != kNothing) {
        const int other = chosen_[at(behind)];
        now += other != kNothing && vectors_[at(behind)][at(other)] == vectors ? 1 : 0;
      } else {
        now += is_before || chosen_[at(before)] == first ? 1 : 0;
      }
    }
    return {now, later};
  }

  void choose(int dimension) {
    std::vector<int> best;
    std::pair<int, int> most{-1, -1};
    for (const int width : choices(dimension)) {
      const auto gained = gain(dimension, width);
      if (gained > most) best.clear();
      if (gained >= most) best.push_back(width);
      most = std::max(most, gained);
    }
    chosen_[at(dimension)] = best[random_.below(best.size(), turn_++)];
  }

  /// The chosen sub-net, whose pairs are wanted no more.
  Subnet take() {
    std::erase_if(wanted_, [&](const Key& pair) {
      const auto [before, width, behind, vectors] = pair;
      return chosen_[at(before)] == width &&
             (behind == kNothing || vectors_[at(behind)][at(chosen_[at(behind)])] == vectors);
    });
    Subnet subnet;
    for (std::size_t d = 0; d < chosen_.size(); ++d) subnet.widths.push_back(widths_[d][at(chosen_[d])]);
    return subnet;
  }

  std::vector<std::vector<int>> widths_;   ///< by dimension
  std::vector<std::vector<int>> vectors_;  ///< of each of the widths
  std::set<Key> wanted_;
  std::vector<int> chosen_;  ///< indices of widths, by dimension
  CounterRandom random_;
  std::uint64_t turn_ = 0;
};

}  // namespace

std::vector<int> probe_widths(int channels, int count, int vector) {
  constexpr std::array<double, 6> kShares = {1, 0.5, 0.125, 0.25, 0.75, 0.0625};
  std::set<int> widths;
  for (const double share : std::span(kShares).first(static_cast<std::size_t>(std::clamp(count, 3, 6)))) {
    const int width = std::max(1, static_cast<int>(std::lround(share * channels)));
    widths.insert(width < vector ? width : std::min((width + vector - 1) / vector * vector, channels));
  }
  return {widths.begin(), widths.end()};
}

std::vector<Subnet> covering_subnets(const Graph& graph, int count, int vector) {
  Covering covering(graph, count, vector);
  std::vector<Subnet> subnets = {covering.full()};
  while (!covering.complete() && subnets.size() < kMaxSubnets) subnets.push_back(covering.next());
  return subnets;
}

std::vector<Subnet> random_subnets(const Graph& graph, int count, std::uint64_t seed) {
  std::vector<Subnet> subnets;
  for (int i = 0; i < count; ++i) {
    const CounterRandom random(seed, static_cast<std::uint64_t>(i));
    const double common = random.uniform(0);
    Subnet subnet = full_subnet(graph);
    for (std::size_t d = 0; d < subnet.widths.size(); ++d) {
      const double own = random.uniform(d + 1);
      const double share = i % 2 == 0 ? own : std::clamp(common + 0.3 * (own - 0.5), 0.0, 1.0);
      const double width = subnet.widths[d] * (0.125 + 0.875 * share);
      subnet.widths[d] = std::max(1, static_cast<int>(std::lround(width)));
    }
    subnets.push_back(std::move(subnet));
  }
  return subnets;
}

}  // namespace concertina::profile
