#include "onnx/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "base/file.h"
#include "graph/branches.h"
#include "graph/networks/networks.h"
#include "onnx/metadata.h"
#include "onnx/network_file.h"
#include "testing/graphs.h"
#include "testing/models.h"
#include "testing/net.h"
#include "testing/temporary_folder.h"

namespace concertina::onnx {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<Graph> graphs() {
  return {*make_network({.name = "resnet8", .input = {3, 32, 32}}),
          *make_network({.name = "resnet14", .input = {1, 28, 28}, .width = 0.5, .decoupled = true}),
          *make_network({.name = "mobilenet_v1", .input = {3, 32, 32}, .width = 0.125}),
          *make_network({.name = "vgg11", .input = {3, 32, 32}, .width = 0.125}),
          *make_network({.name = "alexnet", .input = {3, 32, 32}, .width = 0.0625}),
          testing::every_op()};
}

TEST(ModelFile, ComesBackBitForBit) {
  for (const Graph& graph : graphs()) {
    ModelFile model = testing::random_model(graph, 4);
    model.network.weights.begin()->second.values[0] = -0.0F;
    model.validation = ValidationImages{.count = 50, .among = 500, .seed = 7, .labels = 0x0123456789abcdef};
    const auto bytes = serialize_model(model);
    ASSERT_TRUE(bytes) << bytes.error().message;
    const auto back = parse_model(*bytes);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->network.graph, model.network.graph);
    EXPECT_EQ(back->network.weights, model.network.weights);
    EXPECT_EQ(back->subnets, model.subnets);
    EXPECT_EQ(back->preprocessing, model.preprocessing);
    EXPECT_EQ(back->classes, model.classes);
    EXPECT_EQ(back->validation, model.validation);
    EXPECT_EQ(*serialize_model(*back), *bytes);  // also sees the sign of zero
  }
}

TEST(ModelFile, ComesBackWithoutTheArraysThatWereLeftOut) {
  ModelFile model = testing::random_model(testing::every_op(), 3);
  const std::string bytes = serialize_model(model).value();
  std::set<std::string> left_out;
  for (auto& [name, array] : model.network.weights) {
    if (array.shape.size() < 4) continue;
    left_out.insert(name);
    array.values.clear();
  }
  ASSERT_FALSE(left_out.empty());
  const auto stripped = strip_model(bytes, left_out);
  ASSERT_TRUE(stripped);
  EXPECT_LT(stripped->size(), bytes.size());
  const auto back = parse_stripped(*stripped);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->network.graph, model.network.graph);
  EXPECT_EQ(back->network.weights, model.network.weights);
  EXPECT_EQ(back->subnets, model.subnets);
  EXPECT_FALSE(parse_model(*stripped));
  EXPECT_FALSE(parse_stripped(stripped->substr(0, stripped->size() / 2)));
}

// Who reads only older formats can read all that they could tell.
TEST(ModelFile, IsWrittenInTheOldestFormatThatHasAllOfIt) {
  ModelFile model = testing::random_model(*make_network({.name = "resnet8", .input = {3, 32, 32}}), 2);
  EXPECT_EQ(format_of(model), 3);
  model.preprocessing.bgr = true;
  EXPECT_EQ(format_of(model), 4);
  EXPECT_EQ(parse_model(*serialize_model(model))->preprocessing, model.preprocessing);
  const Graph& graph = model.network.graph;
  const std::vector<Subnet> shallow = {full_subnet(graph),
                                       testing::leaving_out_branches(graph, full_subnet(graph))[0]};
  const ModelFile deep = testing::model_file(graph, shallow);
  EXPECT_EQ(format_of(deep), 5);
  EXPECT_EQ(parse_model(*serialize_model(deep))->subnets, deep.subnets);
  const ModelFile small = testing::model_file(graph, {full_subnet(graph), {full_subnet(graph).widths, 24}});
  EXPECT_EQ(format_of(small), 6);
  EXPECT_EQ(parse_model(*serialize_model(small))->subnets, small.subnets);
  ModelFile gray = testing::random_model(*make_network({.name = "resnet8", .input = {1, 32, 32}}), 2);
  gray.preprocessing.bgr = true;
  EXPECT_THAT(serialize_model(gray).error().message,
              HasSubstr("orders 1 input channels as blue, green, red"));
}

TEST(ModelFile, SaysThatItLearnedLabelMaps) {
  ModelFile model = testing::random_model(testing::unet(), 2);
  EXPECT_FALSE(parse_model(*serialize_model(model))->label_maps);
  model.label_maps = LabelMaps{};
  EXPECT_THAT(serialize_model(model).error().message, HasSubstr("it learned label maps, but gives 3x7x23"));
  testing::Net many({3, 8, 8});
  many.conv("scores", many.conv_bn_relu("conv", testing::kImage, 8, testing::kThree), 256);
  model = testing::random_model(many.build(), 2);
  model.label_maps = LabelMaps{};
  EXPECT_THAT(serialize_model(model).error().message, HasSubstr("it learned label maps, but gives 256x8x8"));
  testing::Net net({3, 8, 8});
  net.conv("scores", net.conv_bn_relu("conv", testing::kImage, 8, testing::kThree), 2);
  model = testing::random_model(net.build(), 2);
  model.label_maps = LabelMaps{.black_and_white = true};
  const auto back = parse_model(*serialize_model(model));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->label_maps, model.label_maps);
}

/// Scales of every tensor that a sub-net runs, with digits that decimals lose easily.
void add_scales(ModelFile& model, std::size_t i) {
  SubnetRecord& record = model.subnets[i];
  const Graph running = variant(model.network.graph, record.subnet);
  for (NodeId id = 0; id < running.size(); ++id) {
    record.quantization[running.node(id).name] = {
        .scale = std::nextafter(0.1F / static_cast<float>(id + 3), 1.0F),
        .zero_point = id % 2 == 0 ? 0 : 128};
  }
}

TEST(ModelFile, ScalesComeBackBitForBit) {
  const Graph graph = *make_network({.name = "resnet8", .input = {3, 32, 32}});
  const Subnet full = full_subnet(graph);
  ModelFile model = testing::model_file(graph, {full, testing::leaving_out_branches(graph, full)[0]});
  EXPECT_THAT(*serialize_model(model), Not(HasSubstr("concertina.quantization")));
  const int format = format_of(model);
  for (const std::size_t i : {1u, 0u}) {  // at first the smaller one alone has some
    add_scales(model, i);
    const auto back = parse_model(*serialize_model(model));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->subnets, model.subnets);
    EXPECT_EQ(format_of(model), format);
  }
  EXPECT_LT(model.subnets[1].quantization.size(), model.subnets[0].quantization.size());
  model.subnets[0].quantization.begin()->second.scale = kLeastScale;
  model.subnets[0].quantization.rbegin()->second.scale = kMostScale;
  EXPECT_EQ(parse_model(*serialize_model(model))->subnets, model.subnets);
}

TEST(ModelFile, KnowsTheFileThatItLearnedFrom) {
  ModelFile model = testing::random_model(testing::unet(), 2);
  EXPECT_FALSE(parse_model(*serialize_model(model))->teacher);
  model.teacher = 0xabc;
  EXPECT_EQ(parse_model(*serialize_model(model))->teacher, model.teacher);
}

TEST(ModelFile, EverySubnetExportsAsTheNetworkThatItIs) {
  for (const Graph& graph : graphs()) {
    const ModelFile model = testing::random_model(graph, 3);
    for (const SubnetRecord& record : model.subnets) {
      const auto exported = export_subnet(model, record.subnet);
      ASSERT_TRUE(exported) << exported.error().message;
      const auto network = parse_network(*exported);
      ASSERT_TRUE(network) << network.error().message;
      EXPECT_EQ(full_subnet(network->graph), record.subnet);
    }
  }
}

TEST(ModelFile, ListsTheSubnetsThatItHas) {
  const ModelFile model = testing::random_model(testing::every_op(), 2);
  const auto exported = export_subnet(model, {{1, 1, 1}});
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().message, "the model has no sub-net 1-1-1; it has 8-6-4, 7-5-3");
}

TEST(ModelFile, ErrorsNameTheFile) {
  const testing::TestFolder folder;
  const auto path = folder / "model.onnx";
  ModelFile model = testing::random_model(testing::every_op(), 2);
  ASSERT_TRUE(write_model(path, model));
  EXPECT_EQ(read_model(path)->subnets, model.subnets);
  EXPECT_TRUE(import_network(path));

  ASSERT_TRUE(write_file(path, *serialize_static(model.network)));
  EXPECT_THAT(read_model(path).error().message, HasSubstr(path.string()));
  EXPECT_THAT(read_model(path).error().message, HasSubstr("not a dynamic model; concertina-train makes one"));
  model.classes.pop_back();
  EXPECT_THAT(write_model(path, model).error().message, HasSubstr(path.string()));
  std::filesystem::remove(path);
  EXPECT_THAT(read_model(path).error().message, HasSubstr("check the path"));
}

/// A model whose arrays are in another file, as if it were larger than protobuf's limit.
class LargeModelFile : public ::testing::Test {
 protected:
  LargeModelFile() { EXPECT_TRUE(write_model(path_, model_, 1000)); }

  /// The files beside the model.
  std::vector<std::filesystem::path> data() const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      if (entry.path().extension() == ".data") files.push_back(entry.path());
    return files;
  }

  std::string refusal() const {
    const auto model = read_model(path_);
    return model ? "accepted" : model.error().message;
  }

  const testing::TestFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "model.onnx";
  const ModelFile model_ = testing::random_model(*make_network({.name = "resnet8", .input = {3, 32, 32}}), 4);
};

TEST_F(LargeModelFile, ComesBackBitForBit) {
  std::size_t values = 0;
  for (const auto& [name, array] : model_.network.weights) values += array.values.size();
  ASSERT_EQ(data().size(), 1u);
  EXPECT_GE(std::filesystem::file_size(data()[0]), values * sizeof(float));
  const auto back = read_model(path_);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*serialize_model(*back), *serialize_model(model_));
  std::filesystem::rename(path_, folder_.path() / "renamed.onnx");
  EXPECT_TRUE(read_model(folder_.path() / "renamed.onnx"));
}

TEST_F(LargeModelFile, IsAnOrdinaryOnnxFile) {
  const auto network = import_network(path_);
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(network->network.weights, model_.network.weights);
}

TEST_F(LargeModelFile, IsRefusedWithoutTheDataThatItWasWrittenWith) {
  EXPECT_THAT(parse_model(*read_file(path_)).error().message, HasSubstr("its values are in another file"));
  const std::filesystem::path file = data().at(0);
  std::string bytes = *read_file(file);
  bytes[100] ^= 1;
  ASSERT_TRUE(write_file(file, bytes));
  EXPECT_THAT(refusal(), HasSubstr("model.onnx': the checksum of 'model.onnx."));
  EXPECT_THAT(import_network(path_).error().message, HasSubstr("copy both files together"));
  std::filesystem::remove(file);
  EXPECT_THAT(refusal(), HasSubstr(".data': "));
}

TEST_F(LargeModelFile, LeavesNothingBehindWhenItIsReplaced) {
  const std::filesystem::path first = data().at(0);
  folder_.write("model.onnx.mine.data", "not ours");
  ModelFile other = model_;
  other.network.weights.begin()->second.values[0] += 1;
  ASSERT_TRUE(write_model(path_, other, 1000));
  EXPECT_FALSE(std::filesystem::exists(first));
  EXPECT_EQ(read_model(path_)->network.weights, other.network.weights);
  const Subnet& smallest = model_.subnets.back().subnet;
  ASSERT_TRUE(write_subnet(path_, model_, smallest));
  EXPECT_EQ(*read_file(path_), *export_subnet(model_, smallest));
  EXPECT_THAT(data(), ::testing::ElementsAre(folder_.path() / "model.onnx.mine.data"));
}

// The formula of docs/model-format.md, computed elsewhere.
TEST(ModelFile, ProbeImagesAreTheSameEverywhere) {
  const std::vector<float> images = probe_images(
      testing::random_model(*make_network({.name = "resnet8", .input = {3, 32, 32}}), 1).network.graph);
  ASSERT_EQ(images.size(), 2U * 3 * 32 * 32);
  EXPECT_EQ(images[0], 0.6244598847204523F);
  EXPECT_EQ(images[1], 1.6788051115629599F);
  EXPECT_EQ(images[2], -1.694448644449671F);
}

}  // namespace
}  // namespace concertina::onnx
