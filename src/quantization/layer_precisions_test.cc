#include "quantization/layer_precisions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/tune.h"
#include "testing/models.h"

namespace concertina::quantization {
namespace {

using runtime::Packing;
using testing::Floats;
using ::testing::HasSubstr;

/// The second of three sub-nets has a classifier of its own.
onnx::ModelFile calibrated_model() {
  const Graph graph = testing::resnet8();
  onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 3));
  testing::calibrate(file, testing::random_images(*testing::load(file), 2), 2);
  return file;
}

runtime::Tuning tuned(const onnx::ModelFile& file, Precision precision = Precision::automatic) {
  return runtime::tune(file, {.precision = precision, .rounds = 1, .runs = 1}, [](int, int) {}).value();
}

class LayerPrecisionsTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Model> load(const std::vector<MixedSubnet>& subnets) const {
    onnx::ModelFile mixed = file_;
    mixed.subnets.clear();
    for (const MixedSubnet& one : subnets) mixed.subnets.push_back(file_.subnets[one.subnet]);
    const runtime::Tuning tuning = layers_.tuning_of(subnets);
    EXPECT_TRUE(tuning.check(mixed, Precision::automatic));
    return runtime::make_model(mixed, Precision::automatic, tuning.policy()).value();
  }

  MixedSubnet all_in(Precision precision, int subnet) const {
    return {subnet, layers_.all_in(precision, subnet)};
  }

  const onnx::ModelFile file_ = calibrated_model();
  const LayerPrecisions layers_ = LayerPrecisions::make(file_, tuned(file_)).value();
};

TEST_F(LayerPrecisionsTest, EverySubnetRunsInItsOwn) {
  const auto mixed = load({all_in(Precision::int8, 2), all_in(Precision::fp32, 0), all_in(Precision::fp32, 2),
                           all_in(Precision::int8, 0)});
  const auto fp32 = testing::load(file_), int8 = testing::load_rounded(file_, Precision::int8);
  const Floats images = testing::random_images(*mixed, 1);
  const auto outputs = [&](const auto& model, int subnet) {
    return testing::run_alone(model, {}, images, 1, subnet);
  };
  EXPECT_EQ(outputs(mixed, 0), outputs(int8, 2));
  EXPECT_EQ(outputs(mixed, 3), outputs(int8, 0));
  EXPECT_LE(testing::relative_error(outputs(mixed, 1), outputs(fp32, 0)), 1e-4);
  EXPECT_LE(testing::relative_error(outputs(mixed, 2), outputs(fp32, 2)), 1e-4);
}

TEST_F(LayerPrecisionsTest, BytesAreThoseOfTheModel) {
  const auto expect_bytes = [&](const std::vector<MixedSubnet>& subnets) {
    std::vector<Combination> options;
    for (const MixedSubnet& one : subnets) options.push_back(one.options);
    EXPECT_EQ(layers_.other_bytes() + bytes_of(layers_.bytes(), options),
              static_cast<std::int64_t>(load(subnets)->packed_bytes()));
  };
  expect_bytes({all_in(Precision::fp32, 0), all_in(Precision::fp32, 2)});
  expect_bytes({all_in(Precision::int8, 0)});
  MixedSubnet some = all_in(Precision::fp32, 0);
  some.options[0] = 1;
  expect_bytes({all_in(Precision::fp32, 0), some});
}

TEST_F(LayerPrecisionsTest, WeightsOfOneSubnetAloneLeaveNoChoice) {
  const std::size_t last = layers_.layers().size() - 1;
  EXPECT_EQ(layers_.name(last), "fc");
  EXPECT_EQ(layers_.times(0)[last].size(), layers_.layers()[last].options.size());
  EXPECT_TRUE(layers_.times(1)[last].empty());
  EXPECT_EQ(layers_.all_in(Precision::int8, 1)[last], kNoOption);
}

TEST_F(LayerPrecisionsTest, ASubnetReadsAQuarterInInt8) {
  const auto bytes = [&](Precision precision, int subnet) {
    return layers_.weight_bytes(all_in(precision, subnet));
  };
  for (const int subnet : {0, 2}) {
    EXPECT_EQ(bytes(Precision::fp32, subnet), 4 * testing::load(file_)->subnets()[subnet].parameters);
    EXPECT_LT(bytes(Precision::int8, subnet), 0.3 * static_cast<double>(bytes(Precision::fp32, subnet)));
    EXPECT_GT(bytes(Precision::int8, subnet), 0.25 * static_cast<double>(bytes(Precision::fp32, subnet)));
  }
}

TEST_F(LayerPrecisionsTest, ATableCanBeChosenFromAgain) {
  const runtime::Tuning table = layers_.tuning_of(std::vector<MixedSubnet>{
      all_in(Precision::fp32, 0), all_in(Precision::int8, 1), all_in(Precision::fp32, 2)});
  const auto again = LayerPrecisions::make(file_, runtime::Tuning::parse(table.to_json()).value());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->bytes(), layers_.bytes());
  EXPECT_EQ(again->other_bytes(), layers_.other_bytes());
}

TEST_F(LayerPrecisionsTest, RefusesTablesThatLeaveNoChoice) {
  const auto refusal = [](const onnx::ModelFile& file, runtime::Tuning tuning) {
    const auto made = LayerPrecisions::make(file, std::move(tuning));
    return made ? "" : made.error().message;
  };
  EXPECT_THAT(refusal(file_, tuned(file_, Precision::int8)), HasSubstr("the tuning table is for int8"));
  runtime::Tuning old = tuned(file_);
  for (auto& [name, layer] : old.layers) layer.fastest.clear();
  EXPECT_THAT(refusal(file_, old), HasSubstr("make it anew with concertina tune --precision auto"));
  onnx::ModelFile plain = file_;
  for (onnx::SubnetRecord& record : plain.subnets) record.quantization.clear();
  if (layers_.has(Precision::bf16)) return;
  EXPECT_THAT(refusal(plain, tuned(plain)), HasSubstr("run `concertina-train quantize`"));
  EXPECT_THAT(refusal(plain, tuned(file_)), HasSubstr("run `concertina-train quantize`"));
  EXPECT_THAT(refusal(file_, tuned(plain)), HasSubstr("before the model had scales"));
}

}  // namespace
}  // namespace concertina::quantization
