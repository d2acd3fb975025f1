#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Reading of the small files of /proc and /sys. What is missing, not permitted, no regular file, too long or
/// damaged is nothing, and never an error: every machine shows something else.
namespace concertina::supervisor {

/// The text of a file of at most 16 KiB.
std::optional<std::string> read_text(const std::filesystem::path& path);

/// What parse(text) makes of a file.
template <typename Value>
std::optional<Value> read_with(const std::filesystem::path& path,
                               std::optional<Value> (*parse)(std::string_view text)) {
  const auto text = read_text(path);
  return text ? parse(*text) : std::nullopt;
}

std::optional<std::int64_t> read_integer(const std::filesystem::path& path);
std::optional<std::string> read_word(const std::filesystem::path& path);

/// The entries of a folder whose names start so, "hwmon2" before "hwmon10"; at most 256.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder, std::string_view prefix);

}  // namespace concertina::supervisor
