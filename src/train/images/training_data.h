#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/shape.h"
#include "recipe/recipe.h"
#include "train/images/image_batches.h"

namespace concertina::train {

/// What the data has for one input of a network.
struct DataInput {
  std::string name;  ///< none: it has only one
  Shape shape;

  friend bool operator==(const DataInput&, const DataInput&) = default;
};

/// The training images of a run. The test images are not part of it: see read_test_images().
struct TrainingData {
  std::vector<DataInput> inputs;
  std::vector<std::string> classes;
  Normalization normalization;
  ImageBatches images;
  std::vector<std::int32_t> labels;      ///< of all images
  std::vector<std::int64_t> training;    ///< indices, in a fixed random order
  std::vector<std::int64_t> validation;  ///< indices split off for search and selection
  /// The first of the training images, `count` or as many as there are.
  std::span<const std::int64_t> first_training(std::int64_t count) const;

  std::uint64_t hash = 0;  ///< of pixels and labels; of images that stay on the disk, their names and sizes
  bool black_and_white = false;  ///< the label maps are masks of 0 and 255, which is the class 1
};

/// Fails unless the recipe's data set has training and test images, of the same classes if it has any: what
/// would otherwise be found out when training has ended. Opens no file.
Status check_data(const recipe::Recipe& recipe);

/// With data.crop = "resized" images stay on the disk; else they are read whole. `channels`: 1 makes the
/// images of folders gray.
Result<TrainingData> read_training_data(const recipe::Recipe& recipe, int channels, torch::Device device,
                                        int threads);

/// Images are mirrored unless the recipe says otherwise.
Augmentation augmentation_of(const recipe::Recipe::Data& data);

/// Images in a training step: as many as `wanted`, or an eighth of all if there are fewer.
int fitting_batch(int wanted, const TrainingData& data);

/// Says how many images there are, of how many classes.
std::string summary(const TrainingData& data);

/// Says how little the labels of a few validation images tell; nothing of many.
std::string uncertainty(const TrainingData& data);

/// The only reader of the test images, as `training` was read and normalised. Fails if its classes or sizes
/// differ.
Result<ImageBatches> read_test_images(const recipe::Recipe& recipe, const TrainingData& training,
                                      torch::Device device, int threads);

/// Reads the training images of runs on one device, and those for which nothing but the seed differs only
/// once.
class DataReader {
 public:
  DataReader(torch::Device device, int threads) : device_(device), threads_(threads) {}

  Result<std::shared_ptr<const TrainingData>> read(const recipe::Recipe& recipe, int channels);

 private:
  torch::Device device_;
  int threads_;
  std::string last_;  ///< what of a recipe data_ was read by
  std::shared_ptr<const TrainingData> data_;
};

}  // namespace concertina::train
