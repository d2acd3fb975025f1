#pragma once

#include <optional>
#include <string>

#include "concertina/result.h"
#include "graph/shape.h"

namespace concertina::apps {

/// "3x224x224" or "3"; nothing for an empty text. Fails with what was expected.
Result<std::optional<Shape>> parse_shape(const std::string& text);

}  // namespace concertina::apps
