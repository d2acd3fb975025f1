#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "common/images.h"
#include "concertina/session.h"

namespace concertina::apps {

/// The accuracy of a model's sub-nets on a data set: top-1 on its labels, mean IoU on its label maps, or of a
/// distilled model the agreement with its teacher.
class Accuracy {
 public:
  virtual ~Accuracy() = default;

  /// Fails as read_images() does, and unless the options name the teacher of a distilled model.
  static Result<std::unique_ptr<Accuracy>> make(const EvaluatedModel& model, const DataOptions& options);

  virtual std::int64_t images() const = 0;

  /// Of a sub-net, 0 .. 1, as the trainer counts it.
  virtual Result<double> of(int subnet) = 0;
};

/// The channel of the largest value at a place of a map [channels][places].
std::size_t preferred(std::span<const float> map, std::size_t place, std::size_t places);

/// Adds --teacher to a verb.
void add_teacher_option(CLI::App* verb, DataOptions& options);

}  // namespace concertina::apps
