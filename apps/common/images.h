#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "concertina/session.h"
#include "data/read.h"
#include "onnx/model_file.h"

namespace concertina::apps {

/// Fails, saying why, unless the model takes one image and tells classes apart; further outputs do no harm.
Status check_classifier(const Model& model);

/// What pictures must become for the model: gray (1), or else RGB (3).
int channels_of_pictures(const ImageInfo& info);

/// Pixels [h][w][c] of 8 bits -> what the model expects: [c][h][w], normalised.
/// Precondition: both spans have info.size() values.
void normalize_pixels(std::span<const std::uint8_t> pixels, const ImageInfo& info, std::span<float> image);

/// A labelled data set, and how a model runs over it.
struct DataOptions {
  std::string data;
  std::string format = "auto";
  std::string split = "validation";  ///< or "test", "train"
  /// Of models whose file does not say which training images were kept back: the recipe's data.validation and
  /// seed.
  std::optional<int> validation_images, validation_seed;
  std::string teacher;  ///< of a distilled model: the file of the network that it learned from
  int threads = 0;      ///< 0 = one per processor
  int batch = 64;
};

/// A model, and what its file says of how it was trained.
struct EvaluatedModel {
  std::shared_ptr<const Model> model;
  std::optional<onnx::ValidationImages> validation;
  std::vector<onnx::TaughtOutput> taught = {};
  std::optional<std::uint64_t> teacher = {};
  std::optional<onnx::LabelMaps> label_maps = {};

  /// What its accuracy is, for people.
  const char* measure() const {
    if (label_maps) return "mean IoU";
    return taught.empty() ? "top-1" : "agreement";
  }
};

/// What the file of a model says.
EvaluatedModel evaluated_model(std::shared_ptr<const Model> model, const onnx::ModelFile& file);

/// Reads both. Errors name the file.
Result<EvaluatedModel> load_evaluated(const std::string& path, const ModelOptions& options);

/// Adds --data, --format, --threads and --batch to a verb.
CLI::Option* add_data_options(CLI::App* verb, DataOptions& options);

/// Adds what says which images are the validation images of older models.
void add_validation_options(CLI::App* verb, DataOptions& options);

/// The same and --split.
void add_split_options(CLI::App* verb, DataOptions& options);

/// The threads that the options mean.
int threads_of(const DataOptions& options);

/// The split in words: "validation images", "test images", "training images".
std::string split_name(const DataOptions& options);

/// What the trainer measured of a sub-net on the split; nothing for training images.
std::optional<double> trainer_accuracy(const SubnetInfo& subnet, const DataOptions& options);

/// What of each image is needed to measure the model.
data::Labels labels_of(const EvaluatedModel& model);

/// Where the data set lies and how its images become the model's.
Result<data::DatasetSpec> dataset_spec(const DataOptions& options, const EvaluatedModel& model,
                                       data::Labels labels);

/// The images that the options name, with label maps if the model learned such, or its teacher's labels if it
/// was distilled. Fails if they cannot be read,
/// the model does not take them, or, as far as its file tells, are not its validation images.
Result<data::ImageSet> read_images(const DataOptions& options, const EvaluatedModel& model);

/// The model's validation images among those with such labels. Fails if there are not as many as the model
/// was made with.
Result<std::vector<std::int64_t>> validation_indices(std::span<const std::int32_t> labels,
                                                     const EvaluatedModel& model, const DataOptions& options);

/// All others of them, in order, which are for training. Fails, too, if the labels show that the model was
/// made with other images.
Result<std::vector<std::int64_t>> training_indices(std::span<const std::int32_t> labels,
                                                   const EvaluatedModel& model, const DataOptions& options);

/// By how much the accuracy on so many images may differ from what the trainer measured: rounding turns
/// answers that are nearly a tie, and 8 bits cost accuracy.
double accuracy_tolerance(Precision precision, std::int64_t images);

/// Fails, saying so, if a sub-net's accuracy on so many images shows that they are not the model's validation
/// images.
Status check_validation_accuracy(const Model& model, int subnet, double accuracy, std::int64_t images);

}  // namespace concertina::apps
