// precisions as a user runs it. It needs no trainer.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "data/image_set.h"
#include "graph/networks/networks.h"
#include "programs/toy_pipeline.h"
#include "testing/models.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kTrainImages = 120, kKeptBack = 60, kSubnets = 2;

/// The images of write_toy_data() in data/, a model with scales that was, to all appearances, trained on
/// them, and its table for auto.
class PrecisionsTest : public ProgramTest {
 protected:
  PrecisionsTest() {
    write_toy_data(folder_ / "data", kTrainImages, 3);
    const Graph graph =
        *make_network({.name = "resnet8", .input = {1, 16, 16}, .classes = 10, .width = 0.25});
    made_ = random_model(graph, kSubnets);
    std::vector<std::int32_t> labels;
    for (int i = 0; i < kTrainImages; ++i) labels.push_back(i % 3);
    const auto split = data::split_by_class(labels, kKeptBack, 1);
    made_.validation = onnx::ValidationImages{.count = kKeptBack,
                                              .among = kTrainImages,
                                              .seed = 1,
                                              .labels = data::hash_of_labels(labels, split.validation)};
    EXPECT_TRUE(onnx::write_model(plain_, made_));
    calibrate(made_, random_images(*load(made_), 2), 2);
    EXPECT_TRUE(onnx::write_model(model_, made_));
    tune(model_, table_);
  }

  static void tune(const std::string& model, const std::string& table) {
    const ProcessResult tuned =
        concertina({"tune", model, "--precision", "auto", "--rounds", "1", "-r", "1", "--out", table});
    EXPECT_EQ(tuned.exit_code, 0) << tuned.err;
  }

  ProcessResult precisions(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"precisions", model_,      "--tuning", table_,      "--data",
                                          data_,        "--seconds", "0.1",      "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return concertina(arguments);
  }

  const std::string data_ = (folder_ / "data").string(), model_ = (folder_ / "m.onnx").string();
  const std::string plain_ = (folder_ / "plain.onnx").string(), table_ = (folder_ / "m.tuning.json").string();
  onnx::ModelFile made_ = random_model(resnet8(), 1);
};

TEST_F(PrecisionsTest, WritesATableThatRunsEachSubnetAsItWasMeasured) {
  const std::string out = (folder_ / "chosen.json").string();
  const ProcessResult done = precisions({"--images", "60", "--max-loss", "100", "--json", "--out", out});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const auto found = nlohmann::json::parse(done.out);
  EXPECT_EQ(found["out"], out);
  EXPECT_EQ(found["images"], 60);
  EXPECT_EQ(found["loss_images"], 60);
  EXPECT_EQ(found["latencies"].size(), 5U);
  int searched = 0, random = 0;
  std::vector<nlohmann::json> chosen;
  for (const auto& one : found["combinations"]) {
    ++(one["by"] == "random" ? random : searched);
    EXPECT_GT(one["milliseconds"], 0);
    EXPECT_LE(one["accuracy"], 1);
    if (one["by"] == "fp32" || one["by"] == "int8") {
      EXPECT_EQ(one["loss"] > 0, one["by"] == "int8");
    }
    if (one["chosen"]) chosen.push_back(one);
  }
  EXPECT_EQ(found["evaluations"]["searched"], searched);
  EXPECT_EQ(found["evaluations"]["random"], random);
  EXPECT_EQ(random, 2 * searched + found["evaluations"]["layers"].get<int>()) << "as many runs of images";
  ASSERT_EQ(chosen.size(), static_cast<std::size_t>(kSubnets));

  const ModelOptions options{.precision = Precision::automatic, .tuning = out};
  const auto model = load(made_, options);
  EXPECT_EQ(found["packed_bytes"]["table"], model->packed_bytes());
  const auto evaluated = concertina({"eval", model_, "--data", data_, "--precision", "auto", "--tuning", out,
                                     "--split", "train", "--json"});
  EXPECT_EQ(evaluated.exit_code, 0) << evaluated.err;
}

TEST_F(PrecisionsTest, KeepsToTheBytes) {
  const auto bytes = [](const ProcessResult& done) {
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return nlohmann::json::parse(done.out)["packed_bytes"];
  };
  const std::vector<std::string> quick = {"--images", "20", "--max-loss", "100", "--json"};
  const auto within = [&](std::int64_t most) {
    std::vector<std::string> arguments = quick;
    arguments.insert(arguments.end(), {"--max-bytes", std::to_string(most)});
    return precisions(arguments);
  };
  const auto free = bytes(precisions(quick));
  const std::int64_t fp32 = free["fp32"], int8 = free["int8"];
  EXPECT_LT(int8, fp32 / 2);
  for (const std::int64_t most : {int8, (int8 + fp32) / 2}) EXPECT_LE(bytes(within(most))["table"], most);
  expect_refused(within(int8 / 2), "the packed weights are estimated at ");
}

TEST_F(PrecisionsTest, PrintsTables) {
  const ProcessResult done = precisions({"--images", "20"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("wholly in int8, the front is "));
  EXPECT_THAT(done.out, HasSubstr("random search had "));
  EXPECT_THAT(done.out, HasSubstr("The table is " + (folder_ / "m.precisions.json").string()));
  EXPECT_THAT(done.err, HasSubstr("measure layers"));
  EXPECT_THAT(done.err, HasSubstr("measure combinations"));
}

TEST_F(PrecisionsTest, BadInputGetsOneSentence) {
  expect_refused(precisions({}), "these are not the model's validation images");
  expect_refused(precisions({"--images", "61"}), "--images 61: the model has 60 validation images");
  expect_refused(precisions({"--max-loss", "-1"}), "see concertina precisions --help");
  expect_refused(precisions({"--out", data_}), "is a folder");
  expect_refused(precisions({"--images", "20", "--max-bytes", "1"}), "the packed weights are estimated at ");
  const auto with = [&](const std::string& model, const std::string& table, const std::string& data) {
    return concertina({"precisions", model, "--tuning", table, "--data", data});
  };
  expect_refused(with(model_, (folder_ / "none.json").string(), data_), "none.json");
  expect_refused(with(model_, table_, (folder_ / "none").string()), "is not a folder");
  expect_refused(with(model_, model_, data_), "m.onnx");
  const std::string table = *read_file(table_);
  const std::size_t cpu = table.find("\"cpu\": \"");
  const std::string foreign = folder_.write("o.json", std::string(table).insert(cpu + 8, "other "));
  expect_refused(with(model_, foreign, data_), "the tuning table was made on 'other ");
  if (table.find("bf16") == table.npos)
    expect_refused(with(plain_, table_, data_), "run `concertina-train quantize` on the model first");
}

}  // namespace
}  // namespace concertina::testing
