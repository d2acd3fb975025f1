#include "base/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

namespace concertina {

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder) {
  const auto failed = [&](const char* what, int code) {
    return Error{fmt::format("cannot {} the folder '{}': {}", what, folder.string(), std::strerror(code))};
  };
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return failed("create", code.value());
  Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid()) return failed("open", errno);
  if (::flock(opened.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Error{
        fmt::format("another process is working in '{}'; wait until it has ended, or name another folder",
                    folder.string())};
  }
  return FolderLock(std::move(opened));
}

}  // namespace concertina
