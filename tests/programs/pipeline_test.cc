// The programs as a user runs them: the whole way on a toy data set, and bad input.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "concertina/subnet.h"
#include "onnx/model_file.h"
#include "onnx/network_file.h"
#include "programs/toy_pipeline.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class PipelineTest : public ToyPipeline {};

TEST_F(PipelineTest, DoesTheWholeJobAndTheRuntimeAgrees) {
  const fs::path out = folder_ / "run";
  const ProcessResult run = train("run", out, {"--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto trained = nlohmann::json::parse(run.out);
  ASSERT_EQ(trained.size(), 4u);

  const std::string model = (out / "model.onnx").string();
  const std::string data = (folder_ / "data").string();
  const ProcessResult eval = concertina({"eval", model, "--data", data, "--split", "test", "--json"});
  ASSERT_EQ(eval.exit_code, 0) << eval.err;
  const auto table = nlohmann::json::parse(eval.out);
  ASSERT_EQ(table.size(), 4u);
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(table[i]["widths"], trained[i]["widths"]);
    EXPECT_EQ(table[i]["macs"], trained[i]["macs"]);
    // 0.1 point: one of the 90 images would already be 1.1.
    EXPECT_NEAR(table[i]["accuracy"].get<double>(), trained[i]["test_accuracy"].get<double>(), 1e-3);
    EXPECT_EQ(table[i]["trainer_test_accuracy"], trained[i]["test_accuracy"]);
    if (i == 0) continue;
    EXPECT_LT(table[i]["macs"].get<double>(), table[i - 1]["macs"].get<double>());
  }
  EXPECT_GT(table[0]["accuracy"].get<double>(), 0.9);  // the task is easy; chance is 0.33

  const ProcessResult verify = concertina({"verify", model, "--data", data, "--split", "test", "--json"});
  ASSERT_EQ(verify.exit_code, 0) << verify.err;
  for (const auto& row : nlohmann::json::parse(verify.out)) {
    EXPECT_LT(row["from_reference"].get<double>(), 1e-5);
    EXPECT_LT(row["from_trainer"].get<double>(), 1e-5);
    EXPECT_TRUE(row["from_onnxruntime"].is_null());
    EXPECT_NEAR(row["accuracy"].get<double>(), row["file_accuracy"].get<double>(), 1e-3);
  }
  fs::copy(folder_ / "data", folder_ / "relabelled");
  const fs::path labels = folder_ / "relabelled" / "t10k-labels-idx1-ubyte";
  std::string bytes = *read_file(labels);
  std::fill(bytes.end() - 4, bytes.end(), '\0');  // of 2, 0, 1, 2
  ASSERT_TRUE(write_file(labels, bytes));
  expect_no(concertina({"verify", model, "--data", (folder_ / "relabelled").string(), "--split", "test"}),
            "the file in top-1");
  expect_refused(concertina({"verify", model, "--onnxruntime", "none.so"}), "none.so");
  for (const auto& entry : fs::recursive_directory_iterator(CONCERTINA_ONNXRUNTIME_DIR)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("libonnxruntime.so") ||
        entry.path().string().find("linux/" CONCERTINA_NODE_ARCH) == std::string::npos)
      continue;
    const ProcessResult against =
        concertina({"verify", model, "--onnxruntime", entry.path().string(), "--json"});
    ASSERT_EQ(against.exit_code, 0) << against.err;
    for (const auto& row : nlohmann::json::parse(against.out))
      EXPECT_LT(row["from_onnxruntime"].get<double>(), 1e-4);
  }

  const ProcessResult inspect = concertina({"inspect", model});
  EXPECT_EQ(inspect.exit_code, 0) << inspect.err;
  EXPECT_THAT(inspect.out, HasSubstr("'stage1.block1.add' combines"));
  EXPECT_EQ(concertina({"bench", model, "--iterations", "3", "--warm-up", "0"}).exit_code, 0);
  const ProcessResult bench = concertina({"bench", model, "--seconds", "0.01", "--pin", "0", "--json"});
  ASSERT_EQ(bench.exit_code, 0) << bench.err;
  EXPECT_EQ(nlohmann::json::parse(bench.out)["subnets"].size(), 4u);
  const ProcessResult profile =
      concertina({"bench", model, "--profile", "-r", "2", "--subnet", "3", "--json"});
  ASSERT_EQ(profile.exit_code, 0) << profile.err;
  const auto profiled = nlohmann::json::parse(profile.out);
  std::int64_t macs = 0;
  for (const auto& step : profiled["subnets"][0]["steps"]) {
    macs += step["macs"].get<std::int64_t>();
  }
  EXPECT_EQ(macs, table[3]["macs"].get<std::int64_t>());
  const ProcessResult switches = concertina({"bench", model, "--switch-test", "-r", "2"});
  EXPECT_EQ(switches.exit_code, 0) << switches.err;
  EXPECT_THAT(switches.out, HasSubstr("first after a switch"));

  const std::string tuning = (folder_ / "tuning.json").string();
  const ProcessResult tune = concertina({"tune", model, "--rounds", "1", "-r", "1", "--out", tuning});
  EXPECT_EQ(tune.exit_code, 0) << tune.err;
  EXPECT_THAT(tune.out, HasSubstr("chosen"));
  EXPECT_EQ(concertina({"bench", model, "-r", "2", "--tuning", tuning}).exit_code, 0);
  expect_refused(concertina({"bench", model, "--tuning", (folder_ / "recipe.toml").string()}), "recipe.toml");
  expect_refused(concertina({"bench", model, "--precision", "fp8"}), "fp8");
  const ProcessResult rounded =
      concertina({"eval", model, "--data", data, "--split", "test", "--precision", "bf16", "--json"});
  if (rounded.exit_code == 0) {
    // 2 of the 90 images.
    EXPECT_NEAR(nlohmann::json::parse(rounded.out)[0]["accuracy"].get<double>(),
                table[0]["accuracy"].get<double>(), 0.03);
  } else {
    expect_refused(rounded, "AVX-512 BF16");
  }

  const ProcessResult exported = concertina({"export", model, "--out", (folder_ / "exported").string()});
  EXPECT_EQ(exported.exit_code, 0) << exported.err;
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(fs::exists(folder_ / "exported" / ("model-" + std::to_string(i) + ".onnx")));
  }

  expect_refused(concertina({"bench", model, "--subnet", "9"}), "9");
  expect_refused(concertina({"bench", model, "--pin", "1023"}), "--pin");
  expect_refused(concertina({"bench", model, "--profile", "--seconds", "1"}), "--seconds");
  expect_refused(concertina({"export", model, "--subnet", "99-1"}), "99-1");
  ASSERT_TRUE(write_file(folder_ / "broken.png", "\x89PNG\r\n\x1a\n and no more"));
  expect_refused(concertina({"classify", model, (folder_ / "broken.png").string()}), "broken.png");
  expect_refused(concertina({"classify", model, (folder_ / "none.jpg").string()}), "none.jpg");

  // Nothing is repeated, and what changed is repeated from there on, the old results put aside.
  const ProcessResult again = train("run", out);
  EXPECT_EQ(again.exit_code, 0) << again.err;
  for (const char* stage : {"pretrain", "rank", "search", "select", "joint", "package"}) {
    EXPECT_THAT(again.err, HasSubstr(std::string(stage) + ": done before"));
  }
  const ProcessResult changed = train("run", out, {"--set", "select.subnets=3"});
  EXPECT_EQ(changed.exit_code, 0) << changed.err;
  EXPECT_THAT(changed.err, HasSubstr("search: done before"));
  EXPECT_TRUE(fs::exists(out / "select.previous" / "subnets.json"));
  EXPECT_EQ(nlohmann::json::parse(*read_file(out / "package" / "results.json")).size(), 3u);
}

// The model's file says which images of the data set they are.
TEST_F(PipelineTest, AModelFindsItsValidationImagesAgain) {
  const fs::path out = folder_ / "run";
  ASSERT_EQ(train("run", out, {"--seed", "3"}).exit_code, 0);
  const std::string model = (out / "model.onnx").string(), data = (folder_ / "data").string();
  const auto trained = nlohmann::json::parse(*read_file(out / "package" / "results.json"));
  fs::remove(folder_ / "data" / "t10k-images-idx3-ubyte");  // nobody asks for test images
  const ProcessResult eval = concertina({"eval", model, "--data", data, "--json"});
  ASSERT_EQ(eval.exit_code, 0) << eval.err;
  const auto table = nlohmann::json::parse(eval.out);
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_NEAR(table[i]["accuracy"].get<double>(), trained[i]["validation_accuracy"].get<double>(), 1e-3);
    EXPECT_EQ(table[i]["trainer_validation_accuracy"], trained[i]["validation_accuracy"]);
  }
  EXPECT_THAT(concertina({"eval", model, "--data", data}).out, HasSubstr("top-1 on validation images"));
  const ProcessResult training = concertina({"eval", model, "--data", data, "--split", "train"});
  EXPECT_THAT(training.out, HasSubstr("top-1 on training images"));
  EXPECT_THAT(training.out, Not(HasSubstr("trainer")));
  const ProcessResult verify = concertina({"verify", model, "--data", data});
  EXPECT_EQ(verify.exit_code, 0) << verify.err;
  EXPECT_THAT(verify.out, HasSubstr("Top-1 on the validation images:"));
  EXPECT_THAT(verify.out, HasSubstr("Each sub-net computes something different from the one before it"));
  const std::vector<std::string> choose = {"cascade", model, "--data", data, "--folds", "2"};
  const ProcessResult cascade = concertina(choose);
  ASSERT_EQ(cascade.exit_code, 0) << cascade.err;
  EXPECT_THAT(cascade.out, HasSubstr("Of 90 validation images"));
  const ProcessResult nowhere = concertina({"cascade", model, "--data", data, "--out", data});
  expect_refused(nowhere, "is a folder; a file is needed");
  EXPECT_THAT(nowhere.err, Not(HasSubstr("look at images")));  // it is found out before the work
  const std::string chosen = *read_file(out / "model.cascade.json");
  for (const char* split : {"test", "train"}) {
    auto on_others = choose;
    on_others.insert(on_others.end(), {"--split", split});
    expect_refused(concertina(on_others), std::string("leave --split ") + split + " out");
  }
  EXPECT_EQ(*read_file(out / "model.cascade.json"), chosen);
  const ProcessResult used = concertina({"cascade", model, "--data", data, "--split", "train", "--use",
                                         (out / "model.cascade.json").string(), "--rounds", "1"});
  EXPECT_EQ(used.exit_code, 0) << used.err;
  EXPECT_THAT(used.out, HasSubstr("360 training images"));

  expect_refused(concertina({"eval", model, "--data", data, "--validation-images", "80"}),
                 "its validation images are 90 by seed 3; leave --validation-images");
  auto file = *onnx::read_model(model);
  file.validation.reset();
  const std::string older = (folder_ / "older.onnx").string();
  ASSERT_TRUE(onnx::write_model(older, file));
  for (const char* verb : {"eval", "verify", "cascade"})
    expect_refused(concertina({verb, older, "--data", data}),
                   "give its recipe's data.validation as --validation-images");
  const std::vector<std::string> reminded = {"--data", data, "--validation-images", "90", "--validation-seed",
                                             "3"};
  const auto remind = [&](const char* verb) {
    std::vector<std::string> arguments = {verb, older};
    arguments.insert(arguments.end(), reminded.begin(), reminded.end());
    return concertina(arguments);
  };
  EXPECT_EQ(remind("eval").exit_code, 0);
  for (onnx::SubnetRecord& record : file.subnets) record.validation_accuracy = 0.5;  // of other images
  ASSERT_TRUE(onnx::write_model(older, file));
  for (const char* verb : {"eval", "cascade"})
    expect_refused(remind(verb), "these are not the model's validation images");

  std::string labels = *read_file(folder_ / "data" / "train-labels-idx1-ubyte");
  for (std::size_t i = 8; i < labels.size(); ++i) labels[i] = static_cast<char>((labels[i] + 1) % 3);
  ASSERT_TRUE(write_file(folder_ / "data" / "train-labels-idx1-ubyte", labels));
  for (const char* verb : {"eval", "verify", "cascade"})
    expect_refused(concertina({verb, model, "--data", data}), "are not those that the model was made with");
  write_toy_data(folder_ / "data", 330, 90);
  expect_refused(concertina({"eval", model, "--data", data}), "has 330 training images");
}

TEST_F(PipelineTest, AWrongDataSetIsRefusedBeforeTraining) {
  const fs::path out = folder_ / "run";
  fs::remove(folder_ / "data" / "t10k-labels-idx1-ubyte");
  for (const char* verb : {"run", "pretrain", "rankers"})
    expect_refused(train(verb, out),
                   "data.path: '" + (folder_ / "data").string() + "' holds neither t10k-labels");
  EXPECT_FALSE(fs::exists(out / "pretrain"));
  folder_.write("occupied", "");
  write_toy_data(folder_ / "data", 360, 90);
  expect_refused(train("run", folder_ / "occupied" / "run"), "occupied");
}

// Search and training must come to the same result whatever the test images are.
// 48 images: neither a batch of 128 nor 5 000 validation images.
TEST_F(PipelineTest, AFewImagesTrainWithTheDefaults) {
  write_toy_data(folder_ / "data", 48, 12);
  folder_.write("few.toml", "[network]\nwidth = 0.5\n[pretrain]\nepochs = 1\n[joint]\nepochs = 1\n");
  const ProcessResult result = run_process(train_command("run", folder_ / "run", {}, "few.toml"), {});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("data: an accuracy on 4 validation images may be off by 49 points"));
  EXPECT_THAT(result.err,
              HasSubstr("training: batches of 5 images, as 44 are fewer than training.batch = 128"));
  EXPECT_TRUE(fs::exists(folder_ / "run" / "model.onnx"));
}

TEST_F(PipelineTest, NothingButPackagingOpensTheTestImages) {
  folder_.write("data/t10k-images-idx3-ubyte", "no images");
  folder_.write("data/t10k-labels-idx1-ubyte", "no labels");
  const fs::path out = folder_ / "run";
  expect_refused(train("run", out), "t10k");
  EXPECT_TRUE(fs::exists(out / "joint" / "done"));
  EXPECT_FALSE(fs::exists(out / "model.onnx"));

  write_toy_data(folder_ / "data", 360, 90);  // nothing is lost: the run goes on from there
  const ProcessResult finished = train("run", out);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("joint: done before"));
}

TEST_F(PipelineTest, PoisonedTestImagesChangeNothingButTheLastFigures) {
  ASSERT_EQ(train("run", folder_ / "clean").exit_code, 0);
  const fs::path images = folder_ / "data" / "t10k-images-idx3-ubyte",
                 labels = folder_ / "data" / "t10k-labels-idx1-ubyte";
  std::string bytes = *read_file(images);
  std::fill(bytes.begin() + 16, bytes.end(), '\x7f');
  ASSERT_TRUE(write_file(images, bytes));
  bytes = *read_file(labels);
  for (std::size_t i = 8; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % 2);
  ASSERT_TRUE(write_file(labels, bytes));
  ASSERT_EQ(train("run", folder_ / "poisoned").exit_code, 0);
  for (const char* file : {"rank/ranking.json", "search/journal.jsonl", "select/subnets.json"}) {
    EXPECT_EQ(*read_file(folder_ / "poisoned" / file), *read_file(folder_ / "clean" / file)) << file;
  }
  const auto results = [&](const char* run) {
    return nlohmann::json::parse(*read_file(folder_ / run / "package/results.json"));
  };
  const auto clean = results("clean"), poisoned = results("poisoned");
  ASSERT_EQ(poisoned.size(), clean.size());
  for (std::size_t i = 0; i < clean.size(); ++i) {
    EXPECT_EQ(poisoned[i]["validation_accuracy"], clean[i]["validation_accuracy"]);
    EXPECT_NE(poisoned[i]["test_accuracy"], clean[i]["test_accuracy"]);
  }
}

// Every key that changes how sub-nets are found or trained, each on the same pretrained network.
TEST_F(PipelineTest, EveryWayOfTrainingWorks) {
  const fs::path out = folder_ / "run";
  ASSERT_EQ(train("run", out).exit_code, 0);
  const auto smallest_accuracy = [&] {
    return nlohmann::json::parse(*read_file(out / "package/results.json"))
        .back()["test_accuracy"]
        .get<double>();
  };
  for (const std::string method : {"l1", "input_l1", "norm_scale", "taylor", "fisher", "random", "none"}) {
    EXPECT_EQ(train("pretrain", out, {"--set", "rank.method=" + method}).exit_code, 0);
    EXPECT_EQ(train("rank", out, {"--set", "rank.method=" + method}).exit_code, 0) << method;
  }
  EXPECT_EQ(train("rank", out, {"--set", "rank.variant=plain"}).exit_code, 0);
  for (const std::string setting :
       {"joint.distillation=growing", "joint.distillation=mutual", "joint.distillation=none",
        "joint.sampling=every", "joint.focus=1", "joint.private_norm=true", "joint.method=alone",
        "joint.start=scratch", "search.criterion=accuracy", "search.cost=parameters", "search.cost=both",
        "search.prior=3", "search.depth=false", "search.resolution=false", "search.multiple=4",
        "select.rule=paper", "network.decoupled=true", "quantize.epochs=1"}) {
    const ProcessResult result = train("run", out, {"--set", setting, "--set", "joint.epochs=4"});
    ASSERT_EQ(result.exit_code, 0) << setting << result.err;
    EXPECT_GT(smallest_accuracy(), 0.5) << setting;  // chance is 0.33
    if (setting == "search.multiple=4") {
      const auto subnets = nlohmann::json::parse(*read_file(out / "package/results.json"));
      for (const auto& subnet : subnets) {
        const Subnet widths = *parse_subnet(subnet["widths"].get<std::string>());
        for (const int width : widths.widths) EXPECT_EQ(width % 4, 0) << subnet["widths"];
      }
    }
  }
}

TEST_F(PipelineTest, TrainsTheSubnetsOfAFile) {
  const fs::path out = folder_ / "run", given = folder_ / "given.json";
  ASSERT_TRUE(write_file(given, R"([{"widths": "8-8-16-16-32-32"}, {"widths": "3-5-9-9-17-31"}])"));
  const ProcessResult run = train(
      "run", out, {"--json", "--set", "search.method=given", "--set", "search.subnets=" + given.string()});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto trained = nlohmann::json::parse(run.out);
  ASSERT_EQ(trained.size(), 2u);
  EXPECT_EQ(trained[1]["widths"], "3-5-9-9-17-31");
  EXPECT_GT(trained[1]["test_accuracy"].get<double>(), 0.5);  // chance is 0.33
  // Another file means another search, but not another pretraining.
  ASSERT_TRUE(write_file(given, R"([{"widths": "8-8-16-16-32-32"}, {"widths": "4-4-8-8-16-16"}])"));
  const ProcessResult again = train(
      "run", out, {"--json", "--set", "search.method=given", "--set", "search.subnets=" + given.string()});
  EXPECT_THAT(again.err, HasSubstr("pretrain: done before"));
  EXPECT_EQ(nlohmann::json::parse(again.out)[1]["widths"], "4-4-8-8-16-16");
}

TEST_F(PipelineTest, SubnetsLeaveOutBranchesAndRunOnSmallerImages) {
  const fs::path out = folder_ / "run", given = folder_ / "given.json";
  ASSERT_TRUE(
      write_file(given,
                 R"([{"widths": "8-8-16-16-32-32"}, {"widths": "8-0-16-16-32-32"}, {"widths": "5-0-0-9-0-17"},
          {"widths": "5-0-0-9-0-17@12"}])"));
  const ProcessResult run = train("run", out,
                                  {"--json", "--set", "search.method=given", "--set", "joint.epochs=9",
                                   "--set", "search.subnets=" + given.string()});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto trained = nlohmann::json::parse(run.out);
  for (const int i : {2, 3})
    EXPECT_GT(trained[i]["test_accuracy"].get<double>(), 0.5) << i;  // chance is 0.33
  EXPECT_LT(trained[3]["macs"].get<double>(), 0.6 * trained[2]["macs"].get<double>());

  const std::string model = (out / "model.onnx").string(), data = (folder_ / "data").string();
  const ProcessResult verify = concertina({"verify", model, "--data", data, "--split", "test", "--json"});
  ASSERT_EQ(verify.exit_code, 0) << verify.err;
  for (const auto& row : nlohmann::json::parse(verify.out)) {
    EXPECT_LT(row["from_reference"].get<double>(), 1e-5);
    EXPECT_LT(row["from_trainer"].get<double>(), 1e-5);
  }
  EXPECT_THAT(concertina({"inspect", model}).out, HasSubstr("5-0-0-9-0-17@12"));
  ASSERT_EQ(concertina({"export", model, "--subnet", "2,3", "--out", folder_.path().string()}).exit_code, 0);
  const auto small = onnx::import_network(folder_ / "model-3.onnx");
  ASSERT_TRUE(small) << small.error().message;
  EXPECT_EQ(small->network.graph.shape(0), (Shape{1, 12, 12}));
  const onnx::ModelFile file = *onnx::read_model(model);
  const auto exported = onnx::import_network(folder_ / "model-2.onnx");
  ASSERT_TRUE(exported) << exported.error().message;
  EXPECT_EQ(exported->network.graph.layout().free_dimensions, 3);
  EXPECT_FALSE(file.subnets[2].own.contains("stage1.block1.conv1_bn.running_mean"));
  EXPECT_EQ(concertina({"tune", model, "--rounds", "1", "--iterations", "1"}).exit_code, 0);
  EXPECT_EQ(concertina({"bench", model, "--iterations", "2", "--warm-up", "0"}).exit_code, 0);

  const ProcessResult norms = train("run", out,
                                    {"--set", "joint.private_norm=true", "--set", "search.method=given",
                                     "--set", "search.subnets=" + given.string()});
  EXPECT_EQ(norms.exit_code, 0) << norms.err;

  ASSERT_TRUE(write_file(given, R"([{"widths": "8-8-16-16-32-32"}, {"widths": "8-8-16-0-32-32"}])"));
  expect_refused(
      train("run", out, {"--set", "search.method=given", "--set", "search.subnets=" + given.string()}),
      "cannot do without all channels of 'stage2.block1.conv2'");
  ASSERT_TRUE(write_file(given, R"([{"widths": "8-8-16-16-32-32"}, {"widths": "8-8-16-16-32-32@17"}])"));
  expect_refused(
      train("run", out, {"--set", "search.method=given", "--set", "search.subnets=" + given.string()}),
      "@17 has a resolution of 17, but the image is 16 x 16");
}

TEST_F(PipelineTest, EachStageSaysHowLongItWaitedForImages) {
  const fs::path out = folder_ / "run";
  const ProcessResult run = train("run", out);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  for (const std::string stage : {"pretrain", "rank", "search", "select", "joint", "package"}) {
    EXPECT_THAT(run.err, HasSubstr("\n" + stage + ": waited ")) << run.err;
    const auto done = nlohmann::json::parse(*read_file(out / stage / "done"));
    EXPECT_GE(done["waited_seconds"].get<double>(), 0) << stage;
    EXPECT_LT(done["waited_seconds"].get<double>(), done["seconds"].get<double>()) << stage;
  }
}

TEST_F(PipelineTest, OneLearningRateScheduleGoesThroughAllStages) {
  const fs::path out = folder_ / "run";
  ASSERT_EQ(train("run", out).exit_code, 0);
  std::vector<double> rates;
  for (const char* stage : {"pretrain", "rank", "joint"}) {
    std::istringstream lines(*read_file(out / stage / "log.jsonl"));
    for (std::string line; std::getline(lines, line);)
      rates.push_back(nlohmann::json::parse(line)["learning_rate"].get<double>());
  }
  ASSERT_GE(rates.size(), 4u);
  for (std::size_t i = 1; i < rates.size(); ++i) EXPECT_LT(rates[i], rates[i - 1]) << i;
  EXPECT_LT(rates.back(), 0.2 * rates.front());
}

TEST_F(PipelineTest, TheSeedDecides) {
  ASSERT_EQ(train("search", folder_ / "a").exit_code, 2);  // made by run; alone it needs rank
  for (const char* verb : {"pretrain", "rank", "search"}) {
    ASSERT_EQ(train(verb, folder_ / "a").exit_code, 0);
    ASSERT_EQ(train(verb, folder_ / "b", {"--seed", "2"}).exit_code, 0);
  }
  EXPECT_NE(*read_file(folder_ / "a/search/journal.jsonl"), *read_file(folder_ / "b/search/journal.jsonl"));
}

TEST_F(PipelineTest, BadInputGetsOneSentence) {
  const fs::path out = folder_ / "run";
  expect_refused(train("run", out, {"--set", "search.group=4"}), "did you mean 'search.groups'?");
  expect_refused(train("run", out, {"--set", "search.groups=0"}),
                 "--set search.groups=0: search.groups must be");
  expect_refused(train("run", out, {"--set", "search.floor_groups=9"}), " --set search.floor_groups=9: ");
  expect_refused(train("run", out, {"--set", "groups=4"}), "did you mean 'search.groups'?");
  expect_refused(train("run", out, {"--set", "network.name=resnet21"}), "no built-in network 'resnet21'");
  expect_refused(train("run", out, {"--set", "data.validation=358"}),
                 "leave data.validation out, or make it smaller");
  expect_refused(train("run", out, {"--set", "data.path=/nowhere"}), "/nowhere");
  expect_refused(train("run", out, {"--set", "joint.budget=3"}),
                 "pretrain.epochs = 2, rank.epochs = 1 (each counts as two) leave nothing of it");
  expect_refused(train("run", out, {"--set", "joint.method=alone", "--set", "joint.private_norm=true"}),
                 "leave one of the two out");
  expect_refused(train("run", out, {"--set", "search.cost=latency", "--set", "search.latency_table=no.json"}),
                 "no.json");
  expect_refused(train("run", out, {"--set", "search.cost=latency"}),
                 "make a table there with concertina profile");
  expect_refused(train("run", out, {"--set", "search.method=given"}), "search.subnets");
  const fs::path given = folder_ / "given.json";
  const auto refuse_given = [&](const std::string& bytes, const std::string& part) {
    ASSERT_TRUE(write_file(given, bytes));
    expect_refused(
        train("run", out, {"--set", "search.method=given", "--set", "search.subnets=" + given.string()}),
        part);
  };
  refuse_given("{", "it is not JSON");
  refuse_given(R"([{"macs": 1}])", "[0].widths is missing");
  refuse_given(R"([{"widths": "4-4-8-8-16-16"}])", "must be the full network");
  const std::string full = R"({"widths": "8-8-16-16-32-32"})";
  refuse_given("[" + full + R"(, {"widths": "4-four"}])", "given.json': ");
  refuse_given("[" + full + R"(, {"widths": "9-8-16-16-32-32"}])", "given.json': ");
  refuse_given("[" + full + ", " + full + "]", "is not a part of");
  refuse_given("[" + full + R"(, {"widths": "4-4-8-8-16-16"}, {"widths": "6-6-12-12-24-24"}])",
               "order them from largest to smallest");
  expect_refused(train("run", out, {"--device", "tpu"}), "choose cpu, cuda, or cuda:N");
  expect_refused(train("walk", out), "--help");
  const ProcessResult help = concertina_train({"run", "--help"});
  EXPECT_THAT(help.out, HasSubstr("--set KEY=VALUE"));
  EXPECT_THAT(help.out, Not(HasSubstr("KEY=VALUE ...")));
  expect_refused(train("run", out, {"--sed", "3"}),
                 "the nearest is '--seed'; see concertina-train run --help");
  expect_refused(train("run", out, {"--set", "seed=1", "b=2"}), "'b=2' was not expected");
  expect_refused(run_process({CONCERTINA_TRAIN_PROGRAM, "run", (folder_ / "none.toml").string()}),
                 "none.toml");

  const fs::path labels = folder_ / "data" / "train-labels-idx1-ubyte";
  const std::string good = *read_file(labels);
  ASSERT_TRUE(write_file(labels, good.substr(0, good.size() - 5)));
  expect_refused(train("run", out), "train-labels-idx1-ubyte");
  std::string wrong = good;
  wrong.back() = 77;
  ASSERT_TRUE(write_file(labels, wrong));
  expect_refused(train("run", out), "77");

  ASSERT_TRUE(write_file(folder_ / "cut.onnx", "not a model"));
  for (const char* verb : {"inspect", "bench", "export", "profile"}) {
    expect_refused(concertina({verb, (folder_ / "cut.onnx").string()}), "cut.onnx");
    expect_refused(concertina({verb, (folder_ / "none.onnx").string()}), "none.onnx");
  }
}

}  // namespace
}  // namespace concertina::testing
