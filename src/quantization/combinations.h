#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/random.h"

/// Which precision each layer gets, from what each costs alone. Nothing here knows networks, images or
/// clocks.
namespace concertina::quantization {

/// By layer, which of its options it has; kNoOption where nothing is to choose.
using Combination = std::vector<int>;
inline constexpr int kNoOption = -1;

/// A layer in one precision. What is added up over the layers: milliseconds, or bytes, and a loss.
struct LayerOption {
  double cost = 0;
  double loss = 0;
};

/// By layer; a layer without options has none to choose.
using LayerOptions = std::vector<std::vector<LayerOption>>;

/// A combination, and the sums over its layers.
struct Estimate {
  Combination options;
  double cost = 0;
  double loss = 0;
};

Estimate estimate(const LayerOptions& layers, const Combination& options);

/// The combinations of which none other has both a lower cost and a lower loss, by rising cost and falling
/// loss. Exact while there are at most `most` of them layer by layer (dynamic programming over the layers);
/// beyond, each of as many equal parts of the range of costs keeps the one with the least loss, so that a
/// cost is too high by that part of the range for each layer at most. Precondition: most >= 2.
std::vector<Estimate> best_combinations(const LayerOptions& layers, int most = 4096);

/// Up to `count` of them: those with the least loss at costs that divide what lies between the lowest and
/// `highest` evenly, without the end at `highest`. Precondition: `best` is as best_combinations() gives it.
std::vector<Estimate> at_even_costs(std::span<const Estimate> best, double highest, int count);

/// Every option of every layer is equally likely.
Combination random_combination(const LayerOptions& layers, const CounterRandom& random);

/// A combination of a sub-net as it was measured.
struct Candidate {
  Combination options;
  double milliseconds = 1;
};

/// What each option of each layer takes in memory, where it exists once for all sub-nets.
using OptionBytes = std::vector<std::vector<std::int64_t>>;

/// Bytes of all options that some sub-net uses.
std::int64_t bytes_of(const OptionBytes& bytes, std::span<const Combination> subnets);

/// One candidate of each sub-net such that bytes_of() is at most `most` and the product of the milliseconds
/// is least. By branch and bound, and exact if that takes at most a million steps; otherwise the best that
/// was found. Nothing if there is none. Precondition: each sub-net has a candidate.
std::optional<std::vector<int>> choose_within(const std::vector<std::vector<Candidate>>& subnets,
                                              const OptionBytes& bytes, std::int64_t most);

}  // namespace concertina::quantization
