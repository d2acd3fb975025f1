#include "data/image_set.h"

#include "base/hash.h"
#include "base/random.h"

namespace concertina::data {
namespace {

// A stream of random numbers that belongs to no stage of a run. Models in the field depend on it.
constexpr std::uint64_t kSplitStream = 100;

}  // namespace

TrainingSplit split_training(std::int64_t count, std::int64_t validation, std::uint64_t seed) {
  const auto order = CounterRandom(seed, kSplitStream).permutation(count);
  return {.training = {order.begin() + validation, order.end()},
          .validation = {order.begin(), order.begin() + validation}};
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
