#include "data/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace concertina::data {
namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

Error cannot_list(const fs::path& folder, const std::error_code& code) {
  return Error{fmt::format("cannot list '{}': {}; check the path", folder.string(), code.message())};
}

}  // namespace

bool is_folder(const fs::path& path) {
  std::error_code code;
  return fs::is_directory(path, code);
}

bool is_image(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

Result<std::vector<fs::directory_entry>> list_folder(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    if (!is_hidden(it->path())) entries.push_back(*it);
  }
  if (code) return cannot_list(folder, code);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.path().filename().string() < b.path().filename().string();
  });
  return entries;
}

Result<std::vector<fs::path>> list_images_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code code;
  for (fs::recursive_directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    if (is_hidden(it->path()) && it->is_directory(code)) it.disable_recursion_pending();
    if (!is_hidden(it->path()) && is_image(it->path())) files.push_back(it->path());
  }
  if (code) return cannot_list(folder, code);
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace concertina::data
