#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

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
  /// Keeps so many of the images, at equal distances. Precondition: count <= images().
  virtual void keep(std::int64_t count) = 0;

  /// From now on, measures another model with the same inputs and outputs.
  virtual Status use(std::shared_ptr<const Model> model) = 0;

  /// Of a sub-net, 0 .. 1, as the trainer counts it.
  virtual Result<double> of(int subnet) = 0;

  /// Calls see() with what a sub-net makes of `count` of the images, at equal distances: the first output, or
  /// of a distilled model all outputs. Precondition: count <= images().
  virtual Status look(int subnet, std::int64_t count,
                      const std::function<void(std::span<const float> outputs)>& see) = 0;
};

/// `count` of them, at equal distances. Precondition: there are as many.
std::vector<std::int64_t> take_evenly(const std::vector<std::int64_t>& all, std::int64_t count);

/// The channel of the largest value at a place of a map [channels][places].
std::size_t preferred(std::span<const float> map, std::size_t place, std::size_t places);

/// Adds --teacher to a verb.
void add_teacher_option(CLI::App* verb, DataOptions& options);

}  // namespace concertina::apps
