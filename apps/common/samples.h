#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/images.h"
#include "data/read.h"

namespace concertina::apps {

/// What a model takes, sample by sample: images, or arrays for each of its inputs. No labels are needed.
class Samples {
 public:
  /// Those of the data set and the split that the options name. Fails if they do not fit the model.
  static Result<Samples> read(const DataOptions& options, const EvaluatedModel& evaluated);

  /// Training images that are none of the model's validation images: `count` of them at equal distances, or,
  /// if it is not given, as many as there are up to `usual`. Of a folder only these are read. Fails as read()
  /// does, and if there are too few.
  static Result<Samples> read_training(const DataOptions& options, const EvaluatedModel& evaluated,
                                       std::optional<int> count, int usual);

  std::int64_t size() const { return static_cast<std::int64_t>(chosen_.size()); }

  /// Leaves `count` of them, at equal distances. Precondition: there are as many.
  void keep(std::int64_t count);

  /// Those from `begin` on, as a run takes them: input after input.
  void fill(std::int64_t begin, int batch, std::vector<float>& values) const;

 private:
  explicit Samples(const Model& model) : model_(&model) {}

  Status read_arrays(const std::string& root, data::Split split);
  Status read_images(const data::DatasetSpec& spec, data::Split split, int threads);
  Status read_files(const data::DatasetSpec& spec, const data::ImageFiles& listing, int threads);
  Status take_images(data::ImageSet images);
  Status check_one_input() const;
  void choose_all(std::size_t count);
  void add(std::int64_t i, std::size_t input, std::vector<float>& values) const;

  const Model* model_;
  data::ImageSet images_;
  std::vector<std::vector<float>> arrays_;  ///< by input, in place of images
  std::vector<std::int64_t> chosen_;
};

}  // namespace concertina::apps
