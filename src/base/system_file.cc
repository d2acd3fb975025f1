#include "base/system_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <new>

#include "base/file.h"

namespace concertina {
namespace {

constexpr std::size_t kLongest = 16 << 10;
constexpr std::size_t kMaxEntries = 256;

bool before(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

struct Close {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

/// One byte more than the longest text, if there are so many.
std::optional<std::string> read_most(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  std::array<char, kLongest + 1> text;
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(file.get(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  return std::string(text.data(), size);
}

}  // namespace

std::optional<std::string> read_text(const std::string& path) {
  auto text = read_most(path);
  if (text && text->size() > kLongest) text.reset();
  return text;
}

std::optional<std::string> read_beginning(const std::string& path) {
  auto text = read_most(path);
  if (text && text->size() > kLongest) text->resize(kLongest);
  return text;
}

std::vector<std::string> entries_of(const std::string& folder, std::string_view prefix) {
  const std::unique_ptr<DIR, Close> opened(::opendir(folder.c_str()));
  if (!opened && errno == ENOMEM) throw std::bad_alloc();
  std::vector<std::string> names;
  while (opened && names.size() < kMaxEntries) {
    const dirent* entry = ::readdir(opened.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && name.starts_with(prefix)) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end(), before);
  std::vector<std::string> entries;
  for (const std::string& name : names) entries.push_back(folder + "/" + name);
  return entries;
}

}  // namespace concertina
