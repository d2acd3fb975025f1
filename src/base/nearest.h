#pragma once

#include <span>
#include <string>
#include <string_view>

namespace concertina {

/// The name with the smallest edit distance to `word`: what a person who mistyped probably meant.
/// Precondition: `names` is not empty.
std::string nearest_name(std::string_view word, std::span<const std::string> names);

}  // namespace concertina
