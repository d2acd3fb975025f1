#include "base/kept_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace concertina {
namespace {

bool write_piece(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// Beyond the process's limit a write ends the process.
bool is_within_limit(std::span<const std::string_view> pieces) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
  std::size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  return limit.rlim_cur == RLIM_INFINITY || size <= limit.rlim_cur;
}

}  // namespace

std::optional<KeptFile> KeptFile::open(const std::filesystem::path& path) {
  // Without waiting for the other end, if it is a pipe.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) return std::nullopt;
  const bool ours = info.st_uid == ::geteuid() || info.st_uid == 0;
  if (!ours || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) return std::nullopt;
  if (!S_ISREG(info.st_mode) || info.st_size <= 0) return std::nullopt;
  const auto size = static_cast<std::size_t>(info.st_size);
  void* const begin = ::mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, file.get(), 0);
  if (begin == MAP_FAILED) return std::nullopt;
  return KeptFile({static_cast<const char*>(begin), size});
}

KeptFile::~KeptFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

bool keep_file(const std::filesystem::path& path, std::span<const std::string_view> pieces) {
  const auto lock = FolderLock::take(path.has_parent_path() ? path.parent_path() : ".");
  if (!lock || !is_within_limit(pieces)) return false;
  std::filesystem::path aside = path;
  aside += ".partial";
  ::unlink(aside.c_str());  // what a killed process left
  bool done = false;
  {
    const Descriptor file(::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.valid()) return false;
    done = true;
    for (const std::string_view piece : pieces) done = done && write_piece(file.get(), piece);
  }
  done = done && ::rename(aside.c_str(), path.c_str()) == 0;
  if (!done) ::unlink(aside.c_str());
  return done;
}

}  // namespace concertina
