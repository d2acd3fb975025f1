#pragma once

#include "models.h"

namespace concertina::bench {

/// What is measured together: one model.
struct Subject {
  std::string network;
  int size = 0;  ///< height and width of the images of a built-in network; 0: the model was read
  std::vector<int> batches;
  BenchModel model;
};

/// The built-in networks of these names, such as "resnet20" or "resnet20-32"; all if there are no names.
/// Fails if a network cannot be made, or if the names fit none.
Result<std::vector<Subject>> built_in_subjects(const std::vector<std::string>& names);

/// A model that concertina-train made, with a batch of 1.
Result<Subject> read_subject(const std::string& path);

}  // namespace concertina::bench
