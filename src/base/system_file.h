#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Reading of the small files of /proc and /sys. What is missing, not permitted, no regular file or too long
/// is nothing, and never an error: every machine shows something else. Where memory runs out, all of this
/// throws std::bad_alloc. std::ifstream would read nothing then, and a directory_iterator end the process.
namespace concertina {

/// The text of a file of at most 16 KiB.
std::optional<std::string> read_text(const std::filesystem::path& path);

/// The same, of a longer file its first 16 KiB.
std::optional<std::string> read_beginning(const std::filesystem::path& path);

/// The entries of a folder whose names start so, "hwmon2" before "hwmon10"; at most 256.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder, std::string_view prefix);

}  // namespace concertina
