#include "data/image_set.h"

#include <algorithm>
#include <numeric>

#include "base/hash.h"
#include "base/random.h"

namespace concertina::data {
namespace {

// A stream of random numbers that belongs to no stage of a run. Models in the field depend on it.
constexpr std::uint64_t kSplitStream = 100;

/// How many images each class has.
std::vector<std::int64_t> count_classes(std::span<const std::int32_t> labels) {
  std::vector<std::int64_t> counts;
  for (const std::int32_t label : labels) {
    counts.resize(std::max(counts.size(), static_cast<std::size_t>(label) + 1));
    ++counts[static_cast<std::size_t>(label)];
  }
  return counts;
}

/// Divides `wanted` among the classes: to each its share, rounded down, then one by one to those that lack
/// the largest part of theirs. All but one image of each class at most, unless that is not enough.
std::vector<std::int64_t> share_out(const std::vector<std::int64_t>& counts, std::int64_t wanted) {
  const auto all = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  std::vector<std::int64_t> shares(counts.size());
  std::vector<double> lacking(counts.size());
  std::int64_t left = wanted;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    const double exact = static_cast<double>(counts[c]) * static_cast<double>(wanted) / all;
    shares[c] = std::min(static_cast<std::int64_t>(exact), std::max<std::int64_t>(counts[c] - 1, 0));
    lacking[c] = exact - static_cast<double>(shares[c]);
    left -= shares[c];
  }
  for (std::int64_t kept = 1; left > 0; kept = 0) {
    for (bool given = true; given && left > 0;) {
      given = false;
      std::size_t best = 0;
      for (std::size_t c = 0; c < counts.size(); ++c) {
        if (shares[c] >= counts[c] - kept || (given && lacking[c] <= lacking[best])) continue;
        best = c;
        given = true;
      }
      if (!given) break;
      ++shares[best];
      --lacking[best];
      --left;
    }
  }
  return shares;
}

}  // namespace

TrainingSplit split_training(std::int64_t count, std::int64_t validation, std::uint64_t seed) {
  const auto order = CounterRandom(seed, kSplitStream).permutation(count);
  return {.training = {order.begin() + validation, order.end()},
          .validation = {order.begin(), order.begin() + validation}};
}

TrainingSplit split_by_class(std::span<const std::int32_t> labels, std::int64_t validation,
                             std::uint64_t seed) {
  const auto count = static_cast<std::int64_t>(labels.size());
  std::vector<std::int64_t> left = share_out(count_classes(labels), validation);
  TrainingSplit split;
  for (const std::int64_t i : CounterRandom(seed, kSplitStream).permutation(count)) {
    std::int64_t& wanted = left[static_cast<std::size_t>(labels[static_cast<std::size_t>(i)])];
    if (wanted-- > 0) {
      split.validation.push_back(i);
    } else {
      split.training.push_back(i);
    }
  }
  return split;
}

std::uint64_t hash_of_labels(std::span<const std::int32_t> labels, std::span<const std::int64_t> indices) {
  Hash hash;
  for (const std::int64_t i : indices) {
    const auto label = static_cast<std::uint32_t>(labels[static_cast<std::size_t>(i)]);
    std::uint8_t bytes[4];
    for (int k = 0; k < 4; ++k) bytes[k] = static_cast<std::uint8_t>(label >> (8 * k));
    hash.add(bytes);
  }
  return hash.value();
}

}  // namespace concertina::data
