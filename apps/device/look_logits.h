#pragma once

#include "base/progress.h"
#include "cascade/labelled_logits.h"
#include "concertina/session.h"
#include "data/image_set.h"

namespace concertina::apps {

/// Runs every sub-net over the images, as they are and, if `mirror`, mirrored. The time of a look is still to
/// be filled in. Preconditions: the model takes the images and tells them apart (read_images() says so).
Result<cascade::LabelledLogits> look_at(Session& session, const data::ImageSet& set, bool mirror,
                                        Progress& progress);

/// Fails, saying so, unless the sub-nets are right as often as they were when the model was made: otherwise
/// the images are not its validation images. Precondition: the columns of `data` are of the model.
Status check_validation_images(const Model& model, const cascade::LabelledLogits& data);

}  // namespace concertina::apps
