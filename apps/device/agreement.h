#pragma once

#include <memory>

#include "device/accuracy.h"

namespace concertina::apps {

/// How far the sub-nets of a distilled model agree with its teacher on a folder of images or arrays. Fails
/// unless the options name a teacher with the model's outputs.
Result<std::unique_ptr<Accuracy>> make_agreement(const EvaluatedModel& model, const DataOptions& options);

}  // namespace concertina::apps
