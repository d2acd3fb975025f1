#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "concertina/session.h"
#include "data/read.h"

namespace concertina::apps {

/// Fails, saying why, unless the model takes one image and tells classes apart; further outputs do no harm.
Status check_classifier(const Model& model);

/// Pixels [h][w][c] of 8 bits -> what the model expects: [c][h][w], normalised.
/// Precondition: both spans have info.size() values.
void normalize_pixels(std::span<const std::uint8_t> pixels, const ImageInfo& info, std::span<float> image);

/// A labelled data set, and how a model runs over it.
struct DataOptions {
  std::string data;
  std::string format = "auto";
  std::string split =
      "test";  ///< "train", or "validation": of the training images those that the run kept back
  int validation_images = 5000;  ///< how many it did: the recipe's data.validation
  int validation_seed = 1;       ///< the recipe's seed
  int threads = 0;               ///< 0 = one per processor
  int batch = 64;
};

/// Adds --data, --format, --threads and --batch to a verb.
CLI::Option* add_data_options(CLI::App* verb, DataOptions& options);

/// Adds --split, and what says which images are the validation images.
void add_split_options(CLI::App* verb, DataOptions& options);

/// The threads that the options mean.
int threads_of(const DataOptions& options);

/// The images that the options name. Fails if they cannot be read or the model does not take them.
Result<data::ImageSet> read_images(const DataOptions& options, const Model& model);

/// A model over a data set.
class Accuracy {
 public:
  /// Fails if the images cannot be read or the model does not take them.
  static Result<Accuracy> make(std::shared_ptr<const Model> model, const DataOptions& options);

  std::int64_t images() const { return set_.size(); }

  /// Top-1 of a sub-net.
  Result<double> of(int subnet);

 private:
  Accuracy(Session session, data::ImageSet set, int batch)
      : session_(std::move(session)), set_(std::move(set)), batch_(batch) {}

  Session session_;
  data::ImageSet set_;
  int batch_;
};

}  // namespace concertina::apps
