#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"

namespace concertina::data {

/// Names of images by class, each in the order of its lines: [class][image].
using Annotations = std::vector<std::vector<std::string>>;

/// Reads lines of an image's name, its class and whatever follows, between tabs, as Tiny ImageNet's
/// val_annotations.txt has them. `classes` are sorted. Fails on a line that names no image and no such class,
/// and unless each class has an image. Any bytes may be given.
Result<Annotations> parse_annotations(std::string_view text, const std::vector<std::string>& classes);

}  // namespace concertina::data
