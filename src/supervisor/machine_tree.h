#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/system_file.h"

/// What the small files of /proc and /sys hold. What cannot be read, or is damaged, is nothing.
namespace concertina::supervisor {

/// What parse(text) makes of a file.
template <typename Value>
std::optional<Value> read_with(const std::string& path,
                               std::optional<Value> (*parse)(std::string_view text)) {
  const auto text = read_text(path);
  return text ? parse(*text) : std::nullopt;
}

std::optional<std::int64_t> read_integer(const std::string& path);
std::optional<std::string> read_word(const std::string& path);

}  // namespace concertina::supervisor
