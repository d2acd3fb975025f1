#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/page_memory.h"
#include "concertina/result.h"

namespace concertina {

/// What a file holds.
class FileBytes {
 public:
  FileBytes(PageMemory memory, std::size_t size) : memory_(std::move(memory)), size_(size) {}
  std::string_view view() const { return {static_cast<const char*>(memory_.data()), size_}; }

 private:
  PageMemory memory_;
  std::size_t size_;
};

/// The whole file. Fails if it cannot be opened or read. A copy, not a mapping: a file that is cut short
/// while it is mapped kills the process.
Result<FileBytes> read_bytes(const std::filesystem::path& path);

/// The same, for texts and small files.
Result<std::string> read_file(const std::filesystem::path& path);

/// Writes beside `path`, flushes to the disk, and renames: after a crash, a kill or a full disk, `path` holds
/// either its old bytes or all of the new ones. Missing parent folders are made.
Status write_file(const std::filesystem::path& path, std::string_view bytes);

/// Adds one line and flushes it to the disk. After a crash the last line may be incomplete (no '\n').
Status append_line(const std::filesystem::path& path, std::string_view line);

}  // namespace concertina
