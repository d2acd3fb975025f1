#pragma once

#include <array>
#include <string_view>

#include "concertina/precision.h"

namespace concertina {

/// How files and command lines write a Precision.
inline constexpr std::array<std::string_view, 2> kPrecisions = {"fp32", "bf16"};

constexpr std::string_view name_of(Precision precision) {
  return kPrecisions[static_cast<std::size_t>(precision)];
}

}  // namespace concertina
