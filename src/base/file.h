#pragma once

#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

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

/// What is wrong with a file's content, with its path in front.
Error in_file(const std::filesystem::path& path, const Error& error);

/// What parse(text) makes of the file, a Result; its errors name the file.
template <typename Parse>
auto read_as(const std::filesystem::path& path, Parse&& parse)
    -> std::invoke_result_t<Parse, std::string_view> {
  const Result<FileBytes> bytes = read_bytes(path);
  if (!bytes) return bytes.error();
  auto result = parse(bytes->view());
  if (!result) return in_file(path, result.error());
  return result;
}

/// Writes beside `path`, flushes to the disk, and renames: after a crash, a kill or a full disk, `path` holds
/// either its old bytes or all of the new ones. Missing parent folders are made.
Status write_file(const std::filesystem::path& path, std::string_view bytes);

/// Fails as write_file() would, before there is anything to write; leaves nothing behind.
Status check_writable(const std::filesystem::path& path);

/// Adds one line and flushes it to the disk. After a crash the last line may be incomplete (no '\n').
Status append_line(const std::filesystem::path& path, std::string_view line);

/// Closes a file descriptor. A negative one is none.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// Keeps other holders out of a folder for as long as it lives, in this process and in others; nothing is
/// written, and the lock of a process that was killed is gone.
class FolderLock {
 public:
  /// Makes the folder if it is missing. Fails if another holds it. On file systems without locks it holds
  /// nothing.
  static Result<FolderLock> take(const std::filesystem::path& folder);

 private:
  explicit FolderLock(Descriptor folder) : folder_(std::move(folder)) {}

  Descriptor folder_;
};

}  // namespace concertina
