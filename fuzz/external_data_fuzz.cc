// A network whose weights lie in another file, "w": the first two bytes say how many of the rest are the
// network's, and what is left is the other file's. Whatever tensors see of it must lie within it.

#include <stdlib.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "onnx/external_data.h"
#include "onnx/graph_from_onnx.h"

using namespace concertina;

namespace {

/// Gone with the process.
struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "concertina-fuzz-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }

  std::filesystem::path path;
};

const std::filesystem::path& folder() {
  static const Folder kFolder;
  return kFolder.path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string network(rest.substr(0, data[0] + std::size_t{256} * data[1]));
  std::ofstream(folder() / "w", std::ios::binary) << rest.substr(network.size());
  onnx::OnnxFile file;
  if (!onnx::parse_in_place(network, file) || !onnx::read_external_data(folder(), file)) return 0;
  for (const std::string_view raw : file.raw_data) {
    bool inside = raw.empty();
    const auto lies_in = [&](std::string_view whole) {
      return raw.data() >= whole.data() && raw.data() + raw.size() <= whole.data() + whole.size();
    };
    inside = inside || lies_in(network);
    for (const auto& [location, content] : file.external) inside = inside || lies_in(content.view());
    if (!inside) std::abort();
  }
  (void)onnx::from_onnx(file, {.most_values = static_cast<std::int64_t>(size), .import = {.opaque = true}});
  return 0;
}
