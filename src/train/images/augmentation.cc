#include "train/images/augmentation.h"

#include "base/random.h"

namespace concertina::train {

Placement random_placement(std::int64_t index, const Augmentation& augmentation, std::uint64_t key) {
  const CounterRandom random(key);
  const auto counter = static_cast<std::uint64_t>(index) * 3;
  const auto choices = static_cast<std::uint64_t>(2 * augmentation.pad + 1);
  return {.top = static_cast<int>(random.below(choices, counter)) - augmentation.pad,
          .left = static_cast<int>(random.below(choices, counter + 1)) - augmentation.pad,
          .mirrored = augmentation.flip && random.below(2, counter + 2) == 1};
}

}  // namespace concertina::train
