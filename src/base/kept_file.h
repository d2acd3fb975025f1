#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

/// Files in which a program keeps what it can make again. Whatever is wrong with one, it is as if it were not
/// there: nothing here is an error.
namespace concertina {

/// A kept file, mapped: all processes that have it share its memory. It may be deleted or replaced meanwhile,
/// but not changed where it lies: that would change what was read, and cutting it short kills the process.
class KeptFile {
 public:
  /// None if there is no such file, it is empty, or others than this user and root could have written it.
  static std::optional<KeptFile> open(const std::filesystem::path& path);

  KeptFile(KeptFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  KeptFile& operator=(KeptFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~KeptFile();

  /// Begins on a page.
  std::string_view view() const { return bytes_; }

 private:
  explicit KeptFile(std::string_view bytes) : bytes_(bytes) {}

  std::string_view bytes_;
};

/// Writes the pieces, one behind the other, beside `path`, and renames. Missing folders are made. Only this
/// user can read the file. It is not flushed, so after a crash of the machine it may hold anything. False if
/// it cannot be written, or if another process is writing in the same folder; then `path` is what it was.
bool keep_file(const std::filesystem::path& path, std::span<const std::string_view> pieces);

}  // namespace concertina
