#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "concertina/result.h"

namespace concertina {

/// The whole file. Fails if it cannot be opened or read.
Result<std::string> read_file(const std::filesystem::path& path);

/// Writes beside `path`, flushes to the disk, and renames: after a crash, a kill or a full disk, `path` holds
/// either its old bytes or all of the new ones. Missing parent folders are made.
Status write_file(const std::filesystem::path& path, std::string_view bytes);

/// Adds one line and flushes it to the disk. After a crash the last line may be incomplete (no '\n').
Status append_line(const std::filesystem::path& path, std::string_view line);

}  // namespace concertina
