#pragma once

#include <memory>

#include "common/accuracy.h"

namespace concertina::apps {

/// The classes that the teacher of a distilled classifier prefers, in place of the images' labels. Fails if
/// the options name no teacher, or not the model's.
Status label_by_teacher(const EvaluatedModel& model, const DataOptions& options, data::ImageSet& set);

/// How far the sub-nets of a distilled model agree with its teacher on a folder of images or arrays. Fails
/// unless the options name a teacher with the model's outputs.
Result<std::unique_ptr<Accuracy>> make_agreement(const EvaluatedModel& model, const DataOptions& options);

}  // namespace concertina::apps
