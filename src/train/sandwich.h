#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "graph/channel_groups.h"

namespace concertina::train {

/// The sub-nets of each step of joint training by the sandwich rule (Yu and Huang 2019): the largest, two
/// drawn ones, the smallest. A function of the seed and the step's number.
class Sandwich {
 public:
  /// Draws from a list. Precondition: at least one sub-net, largest first.
  Sandwich(std::vector<Subnet> subnets, std::uint64_t seed)
      : subnets_(std::move(subnets)), random_(seed, 1) {}

  std::vector<Subnet> draw(std::int64_t step) const;

 private:
  std::vector<Subnet> subnets_;
  CounterRandom random_;
};

/// The same with random sub-nets of the lattice, of which few are uniform: a size between `smallest_groups`
/// and all of the groups is drawn, and each dimension's share of groups from around it. What is searched
/// afterwards has then been trained a little, wherever the search goes.
class RandomSandwich {
 public:
  RandomSandwich(const Graph& graph, const ChannelGroups& groups, int group_count, int smallest_groups,
                 std::uint64_t seed);

  std::vector<Subnet> draw(std::int64_t step) const;

 private:
  Subnet random_subnet(std::uint64_t number) const;

  Subnet full_;
  ChannelGroups groups_;
  int group_count_;
  int smallest_groups_;
  CounterRandom random_;
};

}  // namespace concertina::train
