// Writes what tests/documents/commands.sh cannot make with the programs themselves: write_folder FOLDER makes
// there
//   photos/{train,test}/{circle,square,triangle}/N.png   images that a tiny network learns in seconds
//   photo.jpg                                            one more
//   net.onnx                                             a network as an exporter leaves it
//   demo.onnx                                            a dynamic model for Fashion-MNIST, untrained

#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "base/random.h"
#include "base/try.h"
#include "data/image.h"
#include "graph/networks/networks.h"
#include "graph/random_weights.h"
#include "onnx/model_file.h"
#include "onnx/network_file.h"
#include "testing/image_files.h"
#include "testing/models.h"

namespace concertina::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kClasses[] = {"circle", "square", "triangle"};

/// Noise with a bright patch whose place tells the class.
data::Image patch_image(int label, std::uint64_t number) {
  constexpr int kSide = 40;
  const CounterRandom random(1, number);
  data::Image image = {
      .height = kSide, .width = kSide, .channels = 3, .pixels = std::vector<std::uint8_t>(kSide * kSide * 3)};
  std::uint64_t counter = 0;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const int y = static_cast<int>(i) / 3 / kSide, x = static_cast<int>(i) / 3 % kSide;
    const bool patch = y >= 10 && y < 30 && x >= 13 * label && x < 13 * label + 13;
    image.pixels[i] = static_cast<std::uint8_t>(random.below(120, counter++) + (patch ? 100 : 0));
  }
  return image;
}

Status write_photos(const fs::path& folder) {
  std::uint64_t number = 0;
  for (const auto& [split, count] : {std::pair{"train", 40}, {"test", 10}}) {
    for (int label = 0; label < 3; ++label) {
      for (int i = 0; i < count; ++i) {
        const fs::path name = folder / "photos" / split / kClasses[label] / (std::to_string(i) + ".png");
        RETURN_IF_ERROR(write_file(name, to_png(patch_image(label, number++))));
      }
    }
  }
  return write_file(folder / "photo.jpg", to_jpeg(patch_image(1, number)));
}

Status write_networks(const fs::path& folder) {
  const Graph graph = *make_network({.name = "resnet8", .input = {3, 32, 32}, .classes = 3, .width = 0.25});
  ASSIGN_OR_RETURN(const std::string bytes, onnx::serialize_static({graph, random_weights(graph)}));
  RETURN_IF_ERROR(write_file(folder / "net.onnx", bytes));
  const Graph demo = *make_network({.name = "resnet8", .input = {1, 28, 28}, .classes = 10});
  return onnx::write_model(folder / "demo.onnx", random_model(demo, 4));
}

Status write_all(const fs::path& folder) {
  RETURN_IF_ERROR(write_photos(folder));
  return write_networks(folder);
}

}  // namespace
}  // namespace concertina::testing

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const concertina::Status written = concertina::testing::write_all(argv[1]);
  if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
  return written ? 0 : 1;
}
