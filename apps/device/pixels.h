#pragma once

#include <cstdint>
#include <span>

#include "concertina/model.h"

namespace concertina::apps {

/// Fails, saying why, unless the model takes one image and tells classes apart; further outputs do no harm.
Status check_classifier(const Model& model);

/// Pixels [h][w][c] of 8 bits -> what the model expects: [c][h][w], normalised.
/// Precondition: both spans have info.size() values.
void normalize_pixels(std::span<const std::uint8_t> pixels, const ImageInfo& info, std::span<float> image);

}  // namespace concertina::apps
