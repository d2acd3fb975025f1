#include "programs/toy_pipeline.h"

#include <string>

#include "base/file.h"
#include "base/random.h"

namespace concertina::testing {
namespace {

constexpr const char* kRecipe = R"(
[network]
name = "resnet8"
width = 0.5
[data]
validation = 90
pad = 1
flip = false
[training]
batch = 30
precision = "fp32"
convolutions = "own"
[pretrain]
epochs = 2
[rank]
method = "noise"
epochs = 1
[search]
groups = 4
images = 60
norm_batches = 1
threshold = 0.95
[select]
subnets = 4
[joint]
epochs = 2
[package]
norm_images = 60
)";

constexpr int kSide = 16;

void add_big_endian(std::string& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
}

void write_split(const std::filesystem::path& folder, const std::string& prefix, int images,
                 std::uint64_t stream) {
  const CounterRandom random(1, stream);
  std::string pixels, labels;
  for (const std::uint32_t value : {0x803u, static_cast<std::uint32_t>(images), 16u, 16u})
    add_big_endian(pixels, value);
  for (const std::uint32_t value : {0x801u, static_cast<std::uint32_t>(images)})
    add_big_endian(labels, value);
  std::uint64_t counter = 0;
  for (int i = 0; i < images; ++i) {
    const int label = i % 3;
    labels += static_cast<char>(label);
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const bool patch = y >= 4 && y < 12 && x >= 5 * label && x < 5 * label + 5;
        pixels += static_cast<char>(random.below(120, counter++) + (patch ? 100 : 0));
      }
    }
  }
  (void)write_file(folder / (prefix + "-images-idx3-ubyte"), pixels);
  (void)write_file(folder / (prefix + "-labels-idx1-ubyte"), labels);
}

}  // namespace

void ToyPipeline::SetUp() {
  write_toy_data(folder_ / "data", 360, 90);
  folder_.write("recipe.toml", kRecipe);
}

std::vector<std::string> ToyPipeline::train_command(const std::string& verb, const std::filesystem::path& out,
                                                    const std::vector<std::string>& more,
                                                    const char* file) const {
  std::vector<std::string> command = {CONCERTINA_TRAIN_PROGRAM,
                                      verb,
                                      (folder_ / file).string(),
                                      "--out",
                                      out.string(),
                                      "--threads",
                                      "1",
                                      "--set",
                                      "data.path=\"" + (folder_ / "data").string() + "\""};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

ProcessResult ToyPipeline::train(const std::string& verb, const std::filesystem::path& out,
                                 const std::vector<std::string>& more) const {
  return run_process(train_command(verb, out, more));
}

void write_toy_data(const std::filesystem::path& folder, int train_images, int test_images) {
  write_split(folder, "train", train_images, 1);
  write_split(folder, "t10k", test_images, 2);
}

}  // namespace concertina::testing
