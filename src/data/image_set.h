#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace concertina::data {

enum class Split { train, test };

/// Labelled images of one size, 8 bits a value, all in memory.
struct ImageSet {
  int channels = 0;
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;  // [n][h][w][c]
  std::vector<std::int32_t> labels;  // [n], each below classes.size()
  std::vector<std::string> classes;  // the name of each label
  /// [n][h][w] label maps (data/label_map.h), whose classes these are; none: the images have labels, or none
  std::vector<std::uint8_t> maps = {};
  bool black_and_white = false;  // the maps were masks of 0 and 255

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }

  std::size_t image_bytes() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }

  std::size_t map_bytes() const { return static_cast<std::size_t>(height) * static_cast<std::size_t>(width); }

  /// The label map [h][w] of image i. Preconditions: there are maps, 0 <= i < size().
  std::span<const std::uint8_t> map(std::int64_t i) const {
    return std::span(maps).subspan(static_cast<std::size_t>(i) * map_bytes(), map_bytes());
  }

  /// The pixels [h][w][c] of image i. Precondition: 0 <= i < size().
  std::span<const std::uint8_t> image(std::int64_t i) const {
    return std::span(pixels).subspan(static_cast<std::size_t>(i) * image_bytes(), image_bytes());
  }
};

/// The images of a training set, by index.
struct TrainingSplit {
  std::vector<std::int64_t> training;    ///< in a fixed random order
  std::vector<std::int64_t> validation;  ///< that no weight is trained on
};

/// Splits `validation` of `count` training images off, at random by `seed`: the recipe's seed and
/// data.validation. The same numbers always give the same images. Precondition: 0 <= validation <= count.
TrainingSplit split_training(std::int64_t count, std::int64_t validation, std::uint64_t seed);

/// The same, of images with these labels: each class has its share, rounded, and keeps at least one image for
/// training, if there are enough of them. With one class it is the same as without labels.
/// Preconditions: labels are >= 0, 0 <= validation <= labels.size().
TrainingSplit split_by_class(std::span<const std::int32_t> labels, std::int64_t validation,
                             std::uint64_t seed);

/// Tells the images at `indices` from others: the FNV-1a of their labels, each as a little-endian 32-bit
/// integer. Precondition: the indices are within the labels.
std::uint64_t hash_of_labels(std::span<const std::int32_t> labels, std::span<const std::int64_t> indices);

}  // namespace concertina::data
