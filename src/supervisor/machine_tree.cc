#include "supervisor/machine_tree.h"

#include <algorithm>
#include <fstream>
#include <system_error>

#include "supervisor/kernel_files.h"

namespace concertina::supervisor {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongest = 16 << 10;
constexpr std::size_t kMaxEntries = 256;

bool before(const fs::path& a, const fs::path& b) {
  const std::string first = a.filename().string(), second = b.filename().string();
  return first.size() != second.size() ? first.size() < second.size() : first < second;
}

}  // namespace

std::optional<std::string> read_text(const fs::path& path) {
  std::error_code code;
  if (!fs::is_regular_file(path, code)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::string text(kLongest + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad() || text.size() > kLongest) return std::nullopt;
  return text;
}

std::optional<std::int64_t> read_integer(const fs::path& path) {
  return read_with(path, parse_integer);
}

std::optional<std::string> read_word(const fs::path& path) {
  return read_with(path, parse_word);
}

std::vector<fs::path> entries_of(const fs::path& folder, std::string_view prefix) {
  std::vector<fs::path> entries;
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    if (it->path().filename().string().starts_with(prefix)) entries.push_back(it->path());
    if (entries.size() == kMaxEntries) break;
  }
  std::sort(entries.begin(), entries.end(), before);
  return entries;
}

}  // namespace concertina::supervisor
