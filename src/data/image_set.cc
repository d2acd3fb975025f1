#include "data/image_set.h"

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

}  // namespace concertina::data
