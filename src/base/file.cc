#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/try.h"

namespace concertina {
namespace {

Error system_error(std::string_view what, const std::filesystem::path& path, int code) {
  const char* advice = code == ENOENT                                      ? "; check the path"
                       : code == EACCES || code == EPERM                   ? "; check its permissions"
                       : code == ENOSPC || code == EDQUOT || code == EFBIG ? "; free some space and run again"
                                                                           : "";
  return Error{fmt::format("cannot {} '{}': {}{}", what, path.string(), std::strerror(code), advice)};
}

// Returns 0 or errno.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return ::fsync(fd) == 0 ? 0 : errno;
}

Status make_parent(const std::filesystem::path& path) {
  if (!path.has_parent_path()) return {};
  std::error_code code;
  std::filesystem::create_directories(path.parent_path(), code);
  if (code) return system_error("create the folder of", path, code.value());
  return {};
}

PageMemory larger(const PageMemory& memory) {
  PageMemory result(2 * memory.size() + 4096);
  std::memcpy(result.data(), memory.data(), memory.size());
  return result;
}

}  // namespace

Result<FileBytes> read_bytes(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return system_error("read", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return system_error("read", path, errno);
  if (S_ISDIR(info.st_mode)) return Error{fmt::format("'{}' is a folder; a file is needed", path.string())};
  // One byte more than the file is said to have: pipes say 0, and a read of nothing shows the end.
  PageMemory memory(static_cast<std::size_t>(info.st_size) + 1);
  std::size_t done = 0;
  while (true) {
    if (done == memory.size()) memory = larger(memory);
    const ssize_t n = ::read(file.get(), static_cast<char*>(memory.data()) + done, memory.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read", path, errno);
    if (n == 0) return FileBytes(std::move(memory), done);
    done += static_cast<std::size_t>(n);
  }
}

Result<std::string> read_file(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const FileBytes bytes, read_bytes(path));
  return std::string(bytes.view());
}

Error in_file(const std::filesystem::path& path, const Error& error) {
  return Error{fmt::format("'{}': {}", path.string(), error.message)};
}

Status write_file(const std::filesystem::path& path, std::string_view bytes) {
  RETURN_IF_ERROR(make_parent(path));
  std::filesystem::path aside = path;
  aside += ".partial";
  int failure = 0;
  {
    const Descriptor file(::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    failure = file.valid() ? write_all(file.get(), bytes) : errno;
  }
  if (failure == 0 && ::rename(aside.c_str(), path.c_str()) != 0) failure = errno;
  if (failure == 0) return {};
  ::unlink(aside.c_str());
  return system_error("write", path, failure);
}

Status check_writable(const std::filesystem::path& path) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code))
    return Error{fmt::format("'{}' is a folder; a file is needed", path.string())};
  // In the folder that the file, or the first of the folders that would be made for it, goes into.
  std::filesystem::path folder = std::filesystem::absolute(path, code).parent_path();
  while (!std::filesystem::exists(folder, code) && folder.has_relative_path()) folder = folder.parent_path();
  std::string trial = (folder / ".concertina-XXXXXX").string();
  const Descriptor file(::mkostemp(trial.data(), O_CLOEXEC));
  if (!file.valid()) return system_error("write", path, errno);
  ::unlink(trial.c_str());
  return {};
}

Status append_line(const std::filesystem::path& path, std::string_view line) {
  RETURN_IF_ERROR(make_parent(path));
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file.valid()) return system_error("write", path, errno);
  std::string whole(line);
  whole += '\n';
  if (const int failure = write_all(file.get(), whole)) return system_error("write", path, failure);
  return {};
}

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
