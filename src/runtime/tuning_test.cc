#include "runtime/tuning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/machine.h"
#include "kernels/bf16_conv.h"
#include "runtime/tune.h"
#include "testing/models.h"
#include "testing/net.h"
#include "testing/temporary_folder.h"

namespace concertina::runtime {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

onnx::ModelFile small_model() {
  const Graph graph = testing::resnet8();
  return testing::model_file(graph, testing::nested_subnets(graph, 3));
}

Result<Tuning> quick(const onnx::ModelFile& file, Precision precision = Precision::fp32) {
  int last = 0;
  auto tuning = tune(file, {.precision = precision, .rounds = 1, .runs = 1}, [&](int done, int all) {
    EXPECT_EQ(done, ++last);
    EXPECT_LE(done, all);
  });
  EXPECT_GT(last, 0);
  return tuning;
}

Json small_table() {
  return {{"concertina_tuning", 1},
          {"cpu", "abacus"},
          {"instruction_set", "AVX3"},
          {"precision", "fp32"},
          {"threads", 1},
          {"batch", 1},
          {"layers", {{"stem", {{"kernel", "direct"}, {"milliseconds", {{"direct", {0.5, 0.25}}}}}}}}};
}

void expect_refusal(const char* sentence, const std::function<void(Json&)>& edit) {
  Json table = small_table();
  edit(table);
  const auto read = Tuning::parse(table.dump());
  ASSERT_FALSE(read) << sentence;
  EXPECT_THAT(read.error().message, HasSubstr(sentence));
}

TEST(Tuning, ALayerInPartsIsOneLayer) {
  const Graph graph = testing::cut();
  const onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 2));
  const auto tuning = quick(file);
  ASSERT_TRUE(tuning) << tuning.error().message;
  const LayerTuning& layer = tuning->layers.at("all");
  EXPECT_EQ(layer.milliseconds.at(Packing::direct).size(), 2U);
  EXPECT_EQ(layer.milliseconds.at(Packing::winograd).size(), 2U);
  EXPECT_TRUE(tuning->check(file, Precision::fp32));
}

TEST(Tuning, SurvivesBeingWritten) {
  const auto tuning = quick(small_model());
  ASSERT_TRUE(tuning) << tuning.error().message;
  EXPECT_FALSE(tuning->layers.empty());
  EXPECT_EQ(*Tuning::parse(tuning->to_json()), *tuning);
}

TEST(Tuning, RefusesWhatItWasNotMadeOf) {
  expect_refusal("layers is missing; it must be an object", [](Json& t) { t.erase("layers"); });
  expect_refusal("it is not a tuning table", [](Json& t) { t = "text"; });
  expect_refusal("a format that this version does not read", [](Json& t) { t["concertina_tuning"] = 2; });
  expect_refusal("precision must be one of fp32, bf16, int8, auto", [](Json& t) { t["precision"] = "fp8"; });
  expect_refusal("threads must be a whole number from 1", [](Json& t) { t["threads"] = 0; });
  expect_refusal("batch must be a whole number from 1", [](Json& t) { t["batch"] = -1; });
  const auto expect_layer = [](const char* sentence, const std::function<void(Json&)>& edit) {
    expect_refusal(sentence, [&](Json& t) { edit(t["layers"]["stem"]); });
  };
  const char* unknown = "layers.stem.kernel must be the name of a packing that is known";
  expect_layer(unknown, [](Json& layer) { layer["kernel"] = "abacus"; });
  expect_layer("layers.stem.kernel: it has no milliseconds",
               [](Json& layer) { layer["kernel"] = "winograd"; });
  expect_layer("layers.stem.kernel must be text", [](Json& layer) { layer["kernel"] = 1; });
  expect_layer("layers.stem.milliseconds is missing", [](Json& layer) { layer.erase("milliseconds"); });
  expect_layer("layers.stem.milliseconds.direct must be a list of at least 1",
               [](Json& layer) { layer["milliseconds"]["direct"] = Json::array(); });
  const char* time = "layers.stem.milliseconds.direct[0] must be a positive number";
  expect_layer(time, [](Json& layer) { layer["milliseconds"]["direct"][0] = 0; });
  expect_layer(time, [](Json& layer) { layer["milliseconds"]["direct"][0] = "fast"; });
  expect_layer("layers.stem.milliseconds.abacus must be the name of a packing that is known",
               [](Json& layer) { layer["milliseconds"]["abacus"] = {1}; });
  expect_layer("layers.stem.subnets must be a list", [](Json& layer) { layer["subnets"] = "direct"; });
  expect_layer("layers.stem.subnets[1] must be a kernel that is known", [](Json& layer) {
    layer["subnets"] = {"direct", "abacus"};
  });
  expect_layer("layers.stem.subnets[0] must be text", [](Json& layer) { layer["subnets"] = {1, 2}; });
  expect_layer("layers.stem.also[0] must be the name of a packing that is known",
               [](Json& layer) { layer["also"] = {"abacus"}; });
  expect_layer("layers.stem.fastest.abacus must be the name of a packing that is known",
               [](Json& layer) { layer["fastest"]["abacus"] = Json::array(); });
  expect_layer("layers.stem.fastest.direct[0] must be a kernel that is known",
               [](Json& layer) { layer["fastest"]["direct"] = {"abacus"}; });
  EXPECT_FALSE(Tuning::parse("{"));
}

TEST(Tuning, IsForOneMachineNetworkAndPrecision) {
  const onnx::ModelFile file = small_model();
  Tuning tuning = quick(file).value();
  EXPECT_TRUE(tuning.check(file, Precision::fp32));
  EXPECT_THAT(tuning.check(file, Precision::bf16).error().message,
              HasSubstr("the tuning table is for fp32, but the model is loaded in bf16"));
  const Graph branches = testing::branches();
  const onnx::ModelFile other = testing::model_file(branches, testing::nested_subnets(branches, 1));
  EXPECT_THAT(tuning.check(other, Precision::fp32).error().message,
              HasSubstr("it was made of another network"));
  Tuning foreign = tuning;
  foreign.cpu = "abacus";
  EXPECT_THAT(foreign.check(file, Precision::fp32).error().message,
              HasSubstr("the tuning table was made on 'abacus'"));
  Tuning impossible = tuning;
  impossible.layers.begin()->second.best = Packing::depthwise;
  EXPECT_FALSE(impossible.check(file, Precision::fp32));
  impossible = tuning;
  impossible.layers.begin()->second.also = {Packing::int8};
  EXPECT_FALSE(impossible.check(file, Precision::fp32));
}

TEST(Tuning, MeasuresEveryKernelThatALayerCanUse) {
  const onnx::ModelFile file = small_model();
  const Graph& graph = file.network.graph;
  std::vector<Precision> precisions = {Precision::fp32};
  if (!kernels::bf16_units().empty()) precisions.push_back(Precision::bf16);
  for (const Precision precision : precisions) {
    const Tuning tuning = quick(file, precision).value();
    std::size_t layers = 0;
    for (NodeId id = 0; id < graph.size(); ++id) {
      for (const LayerFilter& filter : layer_filters(graph, id, precision, false)) {
        const bool planar =
            filter.packings.front() == Packing::direct && planar_suits(filter.filter, filter.window);
        if (filter.packings.size() < 2 && !planar) continue;
        ++layers;
        const LayerTuning& layer = tuning.layers.at(graph.node(id).name);
        EXPECT_EQ(layer.milliseconds.size(), filter.packings.size());
        EXPECT_EQ(layer.kernels.size(), file.subnets.size());
        EXPECT_EQ(layer.fastest.at(layer.best), layer.kernels);
        for (const Packing packing : filter.packings) {
          EXPECT_EQ(layer.milliseconds.at(packing).size(), file.subnets.size());
        }
      }
    }
    EXPECT_EQ(tuning.layers.size(), layers);
    EXPECT_GT(layers, 0U);
  }
}

TEST(Tuning, DecidesHowAModelIsPacked) {
  const onnx::ModelFile file = small_model();
  Tuning tuning = quick(file).value();
  const testing::TestFolder folder;
  const auto path = folder / "tuning.json";
  const auto load = [&](Packing packing) {
    for (auto& [name, layer] : tuning.layers) {
      if (layer.milliseconds.contains(packing)) layer.best = packing;
    }
    EXPECT_TRUE(write_file(path, tuning.to_json()));
    return testing::load(file, {.tuning = path});
  };
  const auto direct = load(Packing::direct);
  const auto winograd = load(Packing::winograd);
  EXPECT_GT(winograd->packed_bytes(), 2 * direct->packed_bytes());
  const auto images = testing::random_images(*direct, 1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_LE(testing::relative_error(testing::run_alone(winograd, {}, images, 1, i),
                                      testing::run_alone(direct, {}, images, 1, i)),
              1e-5);
  }
  tuning.cpu = "abacus";
  ASSERT_TRUE(write_file(path, tuning.to_json()));
  EXPECT_THAT(make_model(file, {.tuning = path}).error().message, HasSubstr(".json': the tuning table"));
  std::filesystem::remove(path);
  EXPECT_THAT(make_model(file, {.tuning = path}).error().message, HasSubstr("tuning.json"));
}

TEST(Tuning, DecidesWhichKernelRunsALayerInEachSubnet) {
  const onnx::ModelFile file = small_model();
  Tuning tuning = quick(file).value();
  const auto kernels_of = [&](const std::vector<ConvKernel>& kernels) {
    for (auto& [name, layer] : tuning.layers) {
      layer.best = Packing::direct;
      layer.kernels = kernels;
    }
    const auto model = make_model(file, Precision::fp32, tuning.policy());
    EXPECT_TRUE(model) << model.error().message;
    std::vector<int> planar;
    for (const Plan& plan : (*model)->impl().plans) {
      planar.push_back(0);
      for (const Step& step : plan.steps) {
        const auto* conv = std::get_if<ConvStep>(&step);
        planar.back() += conv != nullptr && conv->kernel == ConvKernel::planar ? 1 : 0;
      }
    }
    return planar;
  };
  const std::vector<int> first = kernels_of({ConvKernel::planar, ConvKernel::direct, ConvKernel::direct});
  EXPECT_GT(first[0], 0);
  EXPECT_EQ(first[1], 0);
  EXPECT_EQ(first[2], 0);
  const std::vector<int> last = kernels_of({ConvKernel::direct, ConvKernel::bf16, ConvKernel::planar});
  EXPECT_EQ(last[0], 0);
  EXPECT_EQ(last[1], kernels_of({})[1]) << "a kernel that cannot run it leaves the rule";
  EXPECT_GT(last[2], 0);
}

TEST(Tuning, OfANetworkWithoutChoicesIsEmpty) {
  testing::Net net({3, 4, 4});
  net.global("flat", testing::kImage);
  const Graph graph = net.build();
  const onnx::ModelFile file = testing::model_file(graph, {full_subnet(graph)});
  EXPECT_TRUE(quick(file)->layers.empty());
}

}  // namespace
}  // namespace concertina::runtime
