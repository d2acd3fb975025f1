#pragma once

#include <cstdint>
#include <vector>

namespace concertina::data {

/// The images of a training set, by index.
struct TrainingSplit {
  std::vector<std::int64_t> training;    ///< in a fixed random order
  std::vector<std::int64_t> validation;  ///< that no weight is trained on
};

/// Splits `validation` of `count` training images off, at random by `seed`: the recipe's seed and
/// data.validation. The same numbers always give the same images. Precondition: 0 <= validation <= count.
TrainingSplit split_training(std::int64_t count, std::int64_t validation, std::uint64_t seed);

}  // namespace concertina::data
