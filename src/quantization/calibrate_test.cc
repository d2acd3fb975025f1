#include "quantization/calibrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "graph/branches.h"
#include "testing/graphs.h"
#include "testing/models.h"

namespace concertina::quantization {
namespace {

using ::testing::HasSubstr;

constexpr int kImages = 24;

/// Images of so many values, uniform in [-2, 2), in this order.
Images some_images(std::size_t size, bool reversed = false) {
  return {.count = kImages, .fill = [=](std::int64_t begin, int batch, std::vector<float>& values) {
            const CounterRandom random(3);
            values.clear();
            for (std::int64_t i = begin; i < begin + batch; ++i) {
              const auto image = static_cast<std::uint64_t>(reversed ? kImages - 1 - i : i);
              for (std::size_t j = 0; j < size; ++j)
                values.push_back(static_cast<float>(4 * random.uniform(image * size + j) - 2));
            }
          }};
}

/// A network whose nodes make the image, its absolute values and zeros.
class FakeNetwork : public ::testing::Test {
 protected:
  FakeNetwork() : graph_(testing::toy()) {}

  Result<CalibratedTensors> calibrated(const Images& images, const CalibrateOptions& options) {
    return calibrate_subnet(graph_, run_, images, options, [this](int batch) { seen_ += batch; });
  }

  const Graph graph_;
  RunBatch run_ = [](std::span<const float> images, int, const Visit& visit) -> Status {
    std::vector<float> magnitudes(images.begin(), images.end());
    for (float& value : magnitudes) value = std::abs(value);
    visit(0, images);
    visit(2, magnitudes);
    visit(1, std::vector<float>(images.size(), 0.0F));
    return {};
  };
  int seen_ = 0;
};

TEST_F(FakeNetwork, GivesEachTensorItsScale) {
  const auto tensors = calibrated(some_images(100), {.range = {.method = Method::minmax}});
  ASSERT_TRUE(tensors) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 3u);
  EXPECT_EQ(seen_, 2 * kImages);
  const Quantizations all = quantizations_of(*tensors);
  const auto of = [&](NodeId id) { return all.at(graph_.node(id).name); };
  EXPECT_EQ(of(0).zero_point, 128);
  EXPECT_NEAR(of(0).scale, 2.0 / 127, 1e-3);
  EXPECT_EQ(of(2).zero_point, 0);
  EXPECT_NEAR(of(2).scale, 2.0 / 255, 1e-4);
  EXPECT_EQ(of(1), Quantization{});
  EXPECT_EQ((*tensors)[1].name, graph_.node(1).name);
  EXPECT_EQ((*tensors)[2].range, (Interval{0, (*tensors)[2].ends.high}));
  EXPECT_EQ((*tensors)[2].rounding.clipped, 0);
  EXPECT_NEAR((*tensors)[2].rounding.signal_to_noise, 53, 3);
}

TEST_F(FakeNetwork, HasTheSameScalesInAnyOrderAndBatch) {
  for (const Method method : {Method::minmax, Method::percentile, Method::entropy}) {
    const RangeOptions range = {.method = method, .percentile = 99};
    const Quantizations wanted =
        quantizations_of(*calibrated(some_images(100), {.range = range, .batch = kImages}));
    for (const int batch : {1, 5, 16}) {
      for (const bool reversed : {false, true}) {
        EXPECT_EQ(quantizations_of(*calibrated(some_images(100, reversed), {.range = range, .batch = batch})),
                  wanted);
      }
    }
  }
}

TEST_F(FakeNetwork, NamesTheTensorThatIsNotFinite) {
  run_ = [](std::span<const float> images, int, const Visit& visit) -> Status {
    visit(0, images);
    visit(1, std::vector<float>{1, INFINITY});
    visit(2, std::vector<float>{NAN});
    return {};
  };
  EXPECT_THAT(calibrated(some_images(4), {}).error().message,
              HasSubstr("the tensor '" + graph_.node(1).name + "' has the value inf"));
  run_ = [](std::span<const float>, int, const Visit&) -> Status { return Error{"no memory"}; };
  EXPECT_EQ(calibrated(some_images(4), {}).error().message, "no memory");
}

TEST(Calibrate, EverySubnetHasScalesThatAModelFileTakes) {
  const Graph graph = testing::resnet8();
  std::vector<Subnet> subnets = testing::nested_subnets(graph, 2);
  subnets.push_back(testing::leaving_out_branches(graph, subnets.back())[0]);
  subnets.push_back({subnets.back().widths, graph.shape(0).height - 8});
  onnx::ModelFile model = testing::model_file(graph, subnets);
  const Images images = some_images(static_cast<std::size_t>(input_elements(graph)));
  SilentProgress progress;
  const auto all = calibrate(model, images, {.batch = 7}, progress);
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), subnets.size());
  for (std::size_t i = 0; i < subnets.size(); ++i) {
    EXPECT_EQ(static_cast<int>((*all)[i].size()), variant(graph, subnets[i]).size()) << i;
    model.subnets[i].quantization = quantizations_of((*all)[i]);
  }
  EXPECT_NE(model.subnets[0].quantization, model.subnets[1].quantization);
  const auto bytes = onnx::serialize_model(model);
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(onnx::parse_model(*bytes)->subnets, model.subnets);
  const auto again = calibrate(model, images, {.batch = 5, .threads = 2}, progress);
  for (std::size_t i = 0; i < subnets.size(); ++i)
    EXPECT_EQ(quantizations_of((*again)[i]), model.subnets[i].quantization) << i;
}

TEST(Calibrate, AnErrorNamesTheSubnet) {
  onnx::ModelFile model = testing::random_model(testing::resnet8(), 2);
  Images images = some_images(static_cast<std::size_t>(input_elements(model.network.graph)));
  images.fill = [fill = images.fill](std::int64_t begin, int batch, std::vector<float>& values) {
    fill(begin, batch, values);
    values[3] = INFINITY;
  };
  SilentProgress progress;
  EXPECT_THAT(
      calibrate(model, images, {}, progress).error().message,
      HasSubstr("sub-net 0: the tensor '" + model.network.graph.node(0).name + "' has the value inf"));
}

}  // namespace
}  // namespace concertina::quantization
