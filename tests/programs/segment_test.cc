// Networks that learn the class of each pixel.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/random.h"
#include "graph/random_weights.h"
#include "onnx/model_file.h"
#include "onnx/network_file.h"
#include "programs/programs.h"
#include "testing/image_files.h"
#include "testing/net.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;

constexpr int kPictures = 80, kSidePixels = 16;

/// A map of `classes` scores, after one step down and up again.
Graph small_unet(int classes, bool sigmoid = false) {
  Net net({3, kSidePixels, kSidePixels});
  const NodeId top = net.conv_bn_relu("top", kImage, 12, kThree);
  const NodeId deep = net.conv_bn_relu("deep", net.max_pool("down", top, kTwo), 16, kThree);
  const NodeId up = net.resize("up", deep, kSidePixels, kSidePixels, op::Resize::Mode::linear,
                               op::Resize::Coordinates::half_pixel);
  const NodeId last = net.conv_bn_relu("last", net.concat("both", {up, top}), 12, kThree);
  const NodeId scores = net.conv("scores", last, classes, kOne);
  if (sigmoid) net.apply("sigmoid", op::activation(op::Function::sigmoid), scores);
  return net.build();
}

class SegmentTest : public ProgramTest {
 protected:
  void write_network(const Graph& graph) const {
    const auto bytes = onnx::serialize_static({graph, random_weights(graph)});
    ASSERT_TRUE(bytes) << bytes.error().message;
    folder_.write("net.onnx", *bytes);
    folder_.write("recipe.toml", "task = \"segment\"\nnetwork = \"net.onnx\"\n[data]\npath = \"data\"\n");
  }

  /// Bright squares on dark ground, whose class is 1, or 2 if they are red.
  void write_pictures(int two, bool black_and_white, int channels = 3) const {
    for (int i = 0; i < kPictures; ++i) {
      const CounterRandom random(9, static_cast<std::uint64_t>(i));
      const int top = static_cast<int>(random.below(8, 0)), left = static_cast<int>(random.below(8, 1));
      const int size = 5 + static_cast<int>(random.below(4, 2));
      const bool red = random.below(2, 3) == 1;
      data::Image image{kSidePixels, kSidePixels, channels, {}}, map{kSidePixels, kSidePixels, 1, {}};
      for (int y = 0; y < kSidePixels; ++y) {
        for (int x = 0; x < kSidePixels; ++x) {
          const bool inside = y >= top && y < top + size && x >= left && x < left + size;
          for (int c = 0; c < channels; ++c) {
            const bool lit = inside && (c == 0 || !red);
            const auto noise = static_cast<std::uint8_t>(
                random.below(50, static_cast<std::uint64_t>(10 + 3 * (y * kSidePixels + x) + c)));
            image.pixels.push_back(lit ? static_cast<std::uint8_t>(200 + noise) : noise);
          }
          const int label = !inside ? 0 : black_and_white ? 255 : red ? two : 1;
          map.pixels.push_back(static_cast<std::uint8_t>(label));
        }
      }
      const char* split = i % 5 == 4 ? "test" : "train";
      folder_.write(fmt::format("data/{}/images/{}.png", split, i), to_png(image));
      folder_.write(fmt::format("data/{}/masks/{}.png", split, i), to_png(map));
    }
  }

  ProcessResult run(const std::vector<std::string>& settings = {}) const {
    std::vector<std::string> arguments = {
        "run",   (folder_ / "recipe.toml").string(), "--out", (folder_ / "run").string(), "--threads", "1",
        "--json"};
    for (const char* setting : {"training.batch=8", "training.precision=fp32", "training.learning_rate=0.02",
                                "search.groups=2", "select.subnets=3", "pretrain.epochs=6", "joint.epochs=6"})
      arguments.insert(arguments.end(), {"--set", setting});
    for (const std::string& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
    return concertina_train(arguments);
  }

  /// The model of a run, which `eval` and `verify` find as good as the trainer did.
  void expect_model(const ProcessResult& run, double least) const {
    ASSERT_EQ(run.exit_code, 0) << run.err;
    const std::string path = (folder_ / "run/model.onnx").string(), data = (folder_ / "data").string();
    const auto model = onnx::read_model(path);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_TRUE(model->label_maps);
    ASSERT_GE(model->subnets.size(), 2u);
    EXPECT_GE(*model->subnets[0].test_accuracy, least);
    for (const char* split : {"validation", "test"}) {
      const ProcessResult eval = concertina({"eval", path, "--data", data, "--split", split, "--json"});
      ASSERT_EQ(eval.exit_code, 0) << eval.err;
      const auto rows = nlohmann::json::parse(eval.out);
      ASSERT_EQ(rows.size(), model->subnets.size());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const double wanted = split == std::string("test") ? *model->subnets[i].test_accuracy
                                                           : model->subnets[i].validation_accuracy;
        EXPECT_NEAR(rows[i]["accuracy"].get<double>(), wanted, 2e-3);
      }
    }
    const ProcessResult verify = concertina({"verify", path, "--data", data, "--json"});
    EXPECT_EQ(verify.exit_code, 0) << verify.err;
  }
};

TEST_F(SegmentTest, AUNetLearnsLabelMaps) {
  write_network(small_unet(3));
  write_pictures(2, false);
  const ProcessResult first = run();
  expect_model(first, 0.7);
  EXPECT_THAT(first.err, HasSubstr("validation mean IoU "));
  EXPECT_THAT(first.err, ::testing::Not(HasSubstr("mirrored")))
      << "the classes are numbers, the pictures are not";
  EXPECT_THAT(run().err, HasSubstr("joint: done before"));
  const std::string path = (folder_ / "run/model.onnx").string();
  EXPECT_THAT(concertina({"eval", path, "--data", (folder_ / "data").string()}).out,
              HasSubstr("mean IoU on"));
  expect_refused(concertina({"eval", path, "--data", (folder_ / "data").string(), "--teacher", path}),
                 "leave --teacher out");
  for (const char* verb : {"cascade", "classify"}) {
    const std::vector<std::string> arguments =
        verb == std::string("cascade")
            ? std::vector<std::string>{verb, path, "--data", (folder_ / "data").string()}
            : std::vector<std::string>{verb, path, (folder_ / "data/test/images/4.png").string()};
    expect_refused(concertina(arguments),
                   "is a map, 3x16x16, and this command takes models that tell the classes");
  }
}

TEST_F(SegmentTest, MasksInBlackAndWhiteNeedOneScore) {
  write_network(small_unet(1, true));
  write_pictures(2, true);
  const ProcessResult first = run();
  expect_model(first, 0.7);
  EXPECT_THAT(first.err, HasSubstr("'sigmoid' at its end is left off"));
}

TEST_F(SegmentTest, PicturesOfAnySizeStayOnTheDisk) {
  write_network(small_unet(3));
  write_pictures(2, false);
  expect_model(run({"data.crop=\"resized\"", "data.image_size=16", "data.resize=18"}), 0.4);
}

TEST_F(SegmentTest, SaysWhatDoesNotFit) {
  write_network(small_unet(3));
  write_pictures(5, false);
  expect_refused(
      run(), "it tells 3 classes apart, but the label maps have values up to 5; if they number the classes");
  EXPECT_EQ(run({"network.new_classifier=true"}).exit_code, 0);
  expect_refused(run({"task=\"classify\""}), "set task = \"segment\"");
  expect_refused(run({"network.name=\"resnet8\""}), "name an ONNX file in network.file");
  Net net({3, kSidePixels, kSidePixels});
  net.linear("scores", net.flatten("flat", net.global("pool", net.conv("conv", kImage, 8, kThree))), 6);
  write_network(net.build());
  expect_refused(run(), "task = \"segment\" needs a map of the size of its images, 16 x 16");
}

}  // namespace
}  // namespace concertina::testing
