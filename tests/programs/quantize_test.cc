// quantize as a user runs it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "data/image_set.h"
#include "graph/networks/networks.h"
#include "onnx/model_file.h"
#include "programs/toy_pipeline.h"
#include "testing/models.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kTrainImages = 360, kKeptBack = 90;

/// The images of write_toy_data() in data/, and a model in run/ that was, to all appearances, trained on
/// them.
class QuantizeTest : public ProgramTest {
 protected:
  QuantizeTest() {
    write_toy_data(folder_ / "data", kTrainImages, 3);
    const Graph graph =
        *make_network({.name = "resnet8", .input = {1, 16, 16}, .classes = 10, .width = 0.25});
    made_ = random_model(graph, 3);
    std::vector<std::int32_t> labels;
    for (int i = 0; i < kTrainImages; ++i) labels.push_back(i % 3);
    const auto split = data::split_by_class(labels, kKeptBack, 1);
    made_.validation = onnx::ValidationImages{.count = kKeptBack,
                                              .among = kTrainImages,
                                              .seed = 1,
                                              .labels = data::hash_of_labels(labels, split.validation)};
    EXPECT_TRUE(onnx::write_model(model_, made_));
    folder_.write("run/recipe.toml", "[data]\npath = \"../data\"\n");
  }

  ProcessResult quantize(const std::string& model, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"quantize", model, "--threads", "1"});
    return concertina_train(more);
  }
  /// Of the model on the data.
  ProcessResult with(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"--data", data_, "--out", out_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return quantize(model_, arguments);
  }

  const std::string data_ = (folder_ / "data").string(), run_ = (folder_ / "run").string();
  const std::string model_ = (folder_ / "run" / "model.onnx").string();
  const std::string out_ = (folder_ / "out.onnx").string();
  onnx::ModelFile made_ = random_model(resnet8(), 1);
};

TEST_F(QuantizeTest, ARunGetsTheScalesOfItsOwnImages) {
  const ProcessResult done = quantize(run_);
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("Tensors of sub-net 0, from 270 images"));
  EXPECT_THAT(done.out, HasSubstr("The scales are in " + model_));
  onnx::ModelFile read = *onnx::read_model(model_);
  for (onnx::SubnetRecord& record : read.subnets) {
    EXPECT_EQ(record.quantization.size(), static_cast<std::size_t>(read.network.graph.size()));
    EXPECT_EQ(record.quantization.at(read.network.graph.node(0).name).zero_point, 128);
    record.quantization.clear();
  }
  EXPECT_NE(*onnx::serialize_model(*onnx::read_model(model_)), *onnx::serialize_model(made_));
  EXPECT_EQ(*onnx::serialize_model(read), *onnx::serialize_model(made_));
  EXPECT_THAT(done.out, HasSubstr("top-1 in fp32"));
  EXPECT_EQ(concertina({"inspect", model_}).exit_code, 0);
  EXPECT_EQ(concertina({"bench", model_, "--precision", "int8", "--iterations", "3"}).exit_code, 0);
}

TEST_F(QuantizeTest, TheBatchMakesNoDifferenceButTheMethodDoes) {
  const std::string before = *read_file(model_);
  const auto scales = [&](const std::vector<std::string>& more) {
    const ProcessResult done = with(more);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return *read_file(out_);
  };
  const std::string usual = scales({"--images", "50"});
  EXPECT_EQ(scales({"--images", "50", "--batch", "7"}), usual);
  EXPECT_NE(scales({"--images", "50", "--percentile", "99"}), usual);
  for (const char* method : {"minmax", "entropy"})
    EXPECT_NE(scales({"--images", "50", "--method", method}), usual);
  EXPECT_EQ(*read_file(model_), before);
}

TEST_F(QuantizeTest, TellsOfEveryTensorInJson) {
  const ProcessResult done = with({"--images", "20", "--json"});
  EXPECT_THAT(with({"--images", "20", "--no-accuracy"}).out, Not(HasSubstr("in int8")));
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const auto json = nlohmann::json::parse(done.out);
  EXPECT_EQ(json["images"], 20);
  EXPECT_EQ(json["out"], out_);
  ASSERT_EQ(json["subnets"].size(), 3u);
  const onnx::ModelFile read = *onnx::read_model(out_);
  for (const auto& subnet : json["subnets"]) {
    const Quantizations& wanted = read.subnets[subnet["subnet"].get<std::size_t>()].quantization;
    ASSERT_EQ(subnet["tensors"].size(), wanted.size());
    for (const auto& tensor : subnet["tensors"]) {
      const Quantization& how = wanted.at(tensor["tensor"].get<std::string>());
      EXPECT_EQ(tensor["scale"], how.scale);
      EXPECT_EQ(tensor["zero_point"], how.zero_point);
      EXPECT_LE(tensor["least"], tensor["greatest"]);
      EXPECT_LT(tensor["clipped"], 0.001);
      EXPECT_GE(tensor["signal_to_noise"], subnet["worst_signal_to_noise"]);
    }
  }
}

TEST_F(QuantizeTest, BadInputGetsOneSentence) {
  expect_refused(quantize(model_), "give --data DIR, or the model's run directory");
  expect_refused(quantize((folder_ / "none.onnx").string(), {"--data", data_}), "none.onnx");
  expect_refused(quantize(data_), "has no model.onnx; give a run directory");
  expect_refused(quantize(model_, {"--data", (folder_ / "none").string()}), "is not a folder");
  expect_refused(with({"--method", "median"}), "--method: 'median' is not minmax, percentile or entropy");
  expect_refused(with({"--images", "271"}),
                 "has 270 training images besides the validation images, which is fewer than 271");
  expect_refused(with({"--images", "0"}), "see concertina-train quantize --help");
  expect_refused(with({"--percentile", "101"}), "see concertina-train quantize --help");
  expect_refused(quantize(model_, {"--data", data_, "--out", run_}), "is a folder");

  made_.validation.reset();
  const std::string old = (folder_ / "old.onnx").string();
  ASSERT_TRUE(onnx::write_model(old, made_));
  expect_refused(quantize(old, {"--data", data_}), "does not say which training images");
  const std::string bytes = *read_file(model_);
  expect_refused(quantize(folder_.write("cut.onnx", bytes.substr(0, bytes.size() / 2)), {"--data", data_}),
                 "damaged or cut short");
  const std::string large = (folder_ / "large.onnx").string();
  ASSERT_TRUE(onnx::write_model(
      large, random_model(*make_network({.name = "resnet8", .input = {1, 28, 28}, .width = 0.25}), 2)));
  expect_refused(quantize(large, {"--data", data_, "--validation-images", "90", "--validation-seed", "1"}),
                 "are 1x16x16, but the model takes 1x28x28");
  write_toy_data(folder_ / "data", kTrainImages + 3, 3);
  expect_refused(with({}), "has 363 training images, but the model's validation images are 90 of 360");
}

class FineTuneTest : public ToyPipeline {
 protected:
  /// Trains for less than the recipe says.
  ProcessResult tune(const std::string& verb,
                     std::vector<std::string> more = {"--set", "quantize.epochs=1"}) {
    for (const char* setting : {"pretrain.epochs=1", "rank.method=none", "search.method=uniform",
                                "select.subnets=2", "joint.epochs=1", "package.norm_images=30"})
      more.insert(more.end(), {"--set", setting});
    return train(verb, out_, more);
  }

  const std::filesystem::path out_ = folder_ / "run";
  const std::string model_ = (out_ / "model.onnx").string();
};

TEST_F(FineTuneTest, ARunEndsWithScales) {
  ASSERT_EQ(tune("run", {}).exit_code, 0);
  expect_refused(tune("fine-tune", {}), "quantize.epochs is 0, so there is nothing to fine-tune");
  expect_refused(tune("package"), "run concertina-train fine-tune first");
  const ProcessResult run = tune("run");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("joint: done before"));
  EXPECT_EQ(std::ranges::count(*read_file(out_ / "fine-tune/log.jsonl"), '\n'), 1);
  const std::string data = (folder_ / "data").string(), tuned = *read_file(model_);
  const ProcessResult int8 = concertina({"eval", model_, "--data", data, "--precision", "int8"});
  EXPECT_EQ(int8.exit_code, 0) << int8.err;

  // As if it had been killed before it had scales.
  onnx::ModelFile file = *onnx::read_model(model_);
  for (onnx::SubnetRecord& record : file.subnets) record.quantization.clear();
  ASSERT_TRUE(onnx::write_model(model_, file));
  EXPECT_EQ(tune("run").exit_code, 0);
  EXPECT_EQ(*read_file(model_), tuned);
  // Scales that were found otherwise stay.
  for (onnx::SubnetRecord& record : file.subnets)
    record.quantization[file.network.graph.node(0).name] = {0.5F, 3};
  ASSERT_TRUE(onnx::write_model(model_, file));
  const std::string other = *read_file(model_);
  EXPECT_EQ(tune("run").exit_code, 0);
  EXPECT_EQ(*read_file(model_), other);
}

}  // namespace
}  // namespace concertina::testing
