#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/read.h"
#include "device/images.h"

namespace concertina::apps {

/// What a model takes, sample by sample: images, or arrays for each of its inputs. No labels are needed.
class Samples {
 public:
  /// Those of the data set and the split that the options name. Fails if they do not fit the model.
  static Result<Samples> read(const DataOptions& options, const EvaluatedModel& evaluated);

  std::int64_t size() const { return static_cast<std::int64_t>(chosen_.size()); }

  /// Those from `begin` on, as a run takes them: input after input.
  void fill(std::int64_t begin, int batch, std::vector<float>& values) const;

 private:
  explicit Samples(const Model& model) : model_(&model) {}

  Status read_arrays(const std::string& root, data::Split split);
  Status read_images(data::DatasetSpec spec, data::Split split, int threads);
  void choose_all(std::size_t count);
  void add(std::int64_t i, std::size_t input, std::vector<float>& values) const;

  const Model* model_;
  data::ImageSet images_;
  std::vector<std::vector<float>> arrays_;  ///< by input, in place of images
  std::vector<std::int64_t> chosen_;
};

}  // namespace concertina::apps
