#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "graph/edit.h"
#include "graph/network.h"
#include "recipe/recipe.h"
#include "train/images/training_data.h"

namespace concertina::train {

/// The network that a run starts from.
struct NetworkSource {
  /// With the weights of the file; none if it is built by name.
  Network network;
  std::vector<InsertedNorm> norms;     ///< put back after convolutions, not yet calibrated
  std::uint64_t file_hash = 0;         ///< onnx::hash_network() of the file
  std::vector<int> data_inputs = {0};  ///< by input of the network: the data's that it takes
};

/// Channels of the images that the recipe's network takes: those of its file's only input, if that takes gray
/// images, else 3. Fails if the file cannot be read.
Result<int> image_channels(const recipe::Recipe& recipe);

/// Builds or reads the network that the recipe names, for what `data` has. Without labels its classes count
/// nothing, and several inputs are told apart by their names. Fails, naming the key that helps, if the file's
/// network does not suit the data.
Result<NetworkSource> open_network(const recipe::Recipe& recipe, std::span<const DataInput> data, int classes,
                                   Progress& progress);

/// What open_network() makes of a file's network that learns labels before it puts norms back: the chosen
/// output alone, a Softmax, LogSoftmax or Sigmoid at its end left off, as losses take scores, and the classes
/// asked for. A new classifier has no weights. Precondition: task is not distill.
Result<Network> fit_network(const Network& network, recipe::Task task, const recipe::Recipe::Network& recipe,
                            const Shape& shape, int classes, Progress& progress);

}  // namespace concertina::train
