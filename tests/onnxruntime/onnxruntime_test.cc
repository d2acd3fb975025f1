#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "onnx/rank.h"
#include "runtime/testing.h"

// Two runtimes that share no code, ONNX Runtime and ours, agree on the model file and on every export of it.
namespace concertina {
namespace {

namespace fs = std::filesystem;
namespace testing = runtime::testing;
using testing::Floats;

constexpr int kBatch = 2;
constexpr double kBound = 1e-4;  // of the largest logit

const fs::path kFolder = CONCERTINA_ONNXRUNTIME_DIR;

std::string as_bytes(const Floats& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

Floats as_floats(const std::string& bytes) {
  Floats values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

class OnnxRuntimeTest : public ::testing::TestWithParam<testing::NamedGraph> {
 protected:
  void SetUp() override {
    if (!fs::exists(kFolder / "node_modules" / "onnxruntime-node") ||
        std::system("node --version >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "ONNX Runtime is not installed; run 'npm install --ignore-scripts' in " << kFolder;
    }
    folder_ = fs::path(::testing::TempDir()) / ("concertina_onnxruntime_" + GetParam().name);
    fs::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  /// Queues a run of an ONNX file.
  void ask(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(write_file(folder_ / (name + ".onnx"), bytes));
    jobs_.push_back({{"model", (folder_ / (name + ".onnx")).string()},
                     {"input", (folder_ / "images.f32").string()},
                     {"shapes", shapes_},
                     {"outputs", outputs_},
                     {"output", (folder_ / (name + ".f32")).string()}});
  }

  void run_all() {
    ASSERT_TRUE(write_file(folder_ / "jobs.json", jobs_.dump()));
    const std::string command =
        "node '" + (kFolder / "run.mjs").string() + "' '" + (folder_ / "jobs.json").string() + "' >/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

  Floats answer(const std::string& name) const { return as_floats(*read_file(folder_ / (name + ".f32"))); }

  fs::path folder_;
  nlohmann::ordered_json shapes_;  ///< of each input
  std::vector<std::string> outputs_;
  nlohmann::ordered_json jobs_ = nlohmann::ordered_json::array();
};

TEST_P(OnnxRuntimeTest, AgreesOnTheModelAndOnEverySubnet) {
  const Graph& graph = GetParam().graph;
  const ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 3));
  const std::string bytes = *serialize_model(file);
  const auto model = Model::parse(bytes);
  ASSERT_TRUE(model) << model.error().message;
  const auto ranks = value_ranks(graph).value();
  for (NodeId id = 0; id < graph.inputs(); ++id) {
    shapes_[graph.node(id).name] = onnx_shape(graph.shape(id), ranks[static_cast<std::size_t>(id)], kBatch);
  }
  for (const TensorInfo& output : (*model)->outputs()) outputs_.push_back(output.name);
  const Floats images = testing::random_images(**model, kBatch);
  ASSERT_TRUE(write_file(folder_ / "images.f32", as_bytes(images)));

  ask("model", bytes);
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    const auto exported = export_subnet(file, file.subnets[i].subnet);
    ASSERT_TRUE(exported) << exported.error().message;
    ask("subnet" + std::to_string(i), *exported);
  }
  run_all();

  auto session = Session::make(*model, {.max_batch = kBatch}).value();
  double worst = testing::relative_error(testing::run(session, images, kBatch, 0), answer("model"));
  EXPECT_LE(worst, kBound) << "the model file, as it is";
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    const Floats logits = testing::run(session, images, kBatch, static_cast<int>(i));
    const double error = testing::relative_error(logits, answer("subnet" + std::to_string(i)));
    EXPECT_LE(error, kBound) << "sub-net " << to_string(file.subnets[i].subnet);
    worst = std::max(worst, error);
  }
  RecordProperty("worst_error", std::to_string(worst * 1e9) + "e-9");
}

INSTANTIATE_TEST_SUITE_P(Networks, OnnxRuntimeTest, ::testing::ValuesIn(testing::test_graphs()),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace concertina
