#include <cstdlib>
#include <filesystem>

#include "data/annotations.h"

using namespace concertina;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::string> classes = {"cat", "dog"};
  const auto read = data::parse_annotations({reinterpret_cast<const char*>(data), size}, classes);
  if (!read) return 0;
  if (read->size() != classes.size()) std::abort();
  for (const auto& names : *read) {
    if (names.empty()) std::abort();
    // No line leads out of the folder.
    for (const std::string& name : names) {
      if (std::filesystem::path(name).has_parent_path()) std::abort();
    }
  }
  return 0;
}
