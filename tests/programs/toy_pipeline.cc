#include "programs/toy_pipeline.h"

#include "programs/toy_data.h"

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
norm_batches = 2
)";

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

}  // namespace concertina::testing
