#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Reading of the small files of /proc and /sys. What is missing, not permitted, no regular file or too long
/// is nothing, and never an error: every machine shows something else. Where memory runs out, all of this
/// throws std::bad_alloc. That is why it uses neither std::filesystem, whose directory_iterator and path may
/// end the process then (GCC 12), nor std::ifstream, which would read nothing.
namespace concertina {

/// The text of a file of at most 16 KiB.
std::optional<std::string> read_text(const std::string& path);

/// The same, of a longer file its first 16 KiB.
std::optional<std::string> read_beginning(const std::string& path);

/// The entries of a folder whose names start so, "hwmon2" before "hwmon10"; at most 256.
std::vector<std::string> entries_of(const std::string& folder, std::string_view prefix);

}  // namespace concertina
