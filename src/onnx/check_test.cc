#include "onnx/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "onnx/model_file.h"
#include "testing/graphs.h"
#include "testing/models.h"
#include "testing/net.h"

namespace concertina::onnx {
namespace {

struct Spoiled {
  const char* sentence;
  std::function<void(ModelFile&)> damage;
};

const std::vector<Spoiled>& cases() {
  static const std::vector<Spoiled> kCases = {
      {"'stem.bias' is missing", [](ModelFile& m) { m.network.weights.erase("stem.bias"); }},
      {"'stem.bias' holds a value that is not finite",
       [](ModelFile& m) { m.network.weights.at("stem.bias").values[1] = NAN; }},
      {"'stem.bias' holds 7 values where its shape has 8",
       [](ModelFile& m) { m.network.weights.at("stem.bias").values.pop_back(); }},
      {"'left.norm.running_var' holds a negative variance",
       [](ModelFile& m) { m.network.weights.at("left.norm.running_var").values[0] = -1; }},
      {"4 class names for 5 outputs", [](ModelFile& m) { m.classes.pop_back(); }},
      {"class 1 is not UTF-8", [](ModelFile& m) { m.classes[1] = "\xff"; }},
      {"2 values of mean for 3 input channels", [](ModelFile& m) { m.preprocessing.mean.pop_back(); }},
      {"4 values of stddev for 3 input channels", [](ModelFile& m) { m.preprocessing.stddev.push_back(1); }},
      {"channel 2 is mean 0.4, stddev 0", [](ModelFile& m) { m.preprocessing.stddev[2] = 0; }},
      {"validated on 900 of 500 images", [](ModelFile& m) { m.validation->count = 900; }},
      {"by seed -1", [](ModelFile& m) { m.validation->seed = -1; }},
      {"it compares 2 outputs of 1", [](ModelFile& m) { m.taught.resize(2); }},
      {"with weight 1 by the variance 0", [](ModelFile& m) { m.taught = {{.variance = 0}}; }},
      {"with weight -1 by the variance 1", [](ModelFile& m) { m.taught = {{.weight = -1}}; }},
      {"whose weights are all 0", [](ModelFile& m) { m.taught = {{.weight = 0}}; }},
      {"no sub-nets", [](ModelFile& m) { m.subnets.clear(); }},
      {"the first sub-net 7-5-3 is not the full network 8-6-4",
       [](ModelFile& m) { m.subnets.erase(m.subnets.begin()); }},
      {"sub-net 7-5-3 is listed twice", [](ModelFile& m) { m.subnets[2].subnet = m.subnets[1].subnet; }},
      {"sub-net 6-6-2 is not nested in 7-5-3", [](ModelFile& m) { m.subnets[2].subnet.widths[1] = 6; }},
      {"cannot do without all channels of 'left': 'join' needs it",
       [](ModelFile& m) { m.subnets[2].subnet.widths[1] = 0; }},
      {"keeps -1 channels of 'left'", [](ModelFile& m) { m.subnets[2].subnet.widths[1] = -1; }},
      {"keeps 9 channels of 'stem', which has 8", [](ModelFile& m) { m.subnets[1].subnet.widths[0] = 9; }},
      {"has 2 widths, but the network has 3", [](ModelFile& m) { m.subnets[1].subnet.widths.pop_back(); }},
      {"sub-net 7-5-3: its validation accuracy is 1.5",
       [](ModelFile& m) { m.subnets[1].validation_accuracy = 1.5; }},
      {"sub-net 7-5-3: its test accuracy is nan", [](ModelFile& m) { m.subnets[1].test_accuracy = NAN; }},
      {"sub-net 6-4-2: its statistics 'left.norm.running_mean' are missing",
       [](ModelFile& m) { m.subnets[2].own.erase("left.norm.running_mean"); }},
      {"its own 'left.norm.running_mean' has 6 values, but at its widths it is 4",
       [](ModelFile& m) { m.subnets[2].own = m.subnets[0].own; }},
      {"its own 'stem.weight', but only batch norms and linear layers",
       [](ModelFile& m) { m.subnets[1].own["stem.weight"] = m.network.weights.at("stem.weight"); }},
      {"sub-net 7-5-3: its own 'join.norm.running_var' holds the impossible value -0.1",
       [](ModelFile& m) { m.subnets[1].own.at("join.norm.running_var").values[0] = -0.1F; }},
      {"it has 5 arrays of its own, but the network knows only 4",
       [](ModelFile& m) {
         m.subnets[1].own["other.running_mean"] = {{1}, {0}};
       }},
      {"'left.norm.running_mean' of the first sub-net differs from the network's",
       [](ModelFile& m) { m.subnets[0].own.at("left.norm.running_mean").values[0] += 1; }}};
  return kCases;
}

TEST(ModelCheck, NamesEveryBrokenPromise) {
  ModelFile good = testing::random_model(testing::every_op(), 3);
  good.validation = ValidationImages{.count = 50, .among = 500, .seed = 7, .labels = 0x0123456789abcdef};
  ASSERT_TRUE(check_model(good)) << check_model(good).error().message;
  for (const Spoiled& broken : cases()) {
    ModelFile model = good;
    broken.damage(model);
    const Status status = check_model(model);
    ASSERT_FALSE(status) << broken.sentence;
    EXPECT_THAT(status.error().message, ::testing::HasSubstr(broken.sentence));
    EXPECT_FALSE(serialize_model(model));
  }
}

TEST(ModelCheck, WantsAClassifierWithUtf8Names) {
  const auto model = [](const char* name) {
    testing::Net net({3, 4, 4});
    net.relu(name, testing::kImage);
    ModelFile file = testing::random_model(net.build(), 1);
    file.classes = {"cat"};
    return file;
  };
  EXPECT_EQ(check_model(model("r")).error().message,
            "there are class names, but the network's output is 3x4x4");
  EXPECT_EQ(check_model(model("\xc3")).error().message, "a node's name is not UTF-8; rename the node");
}

}  // namespace
}  // namespace concertina::onnx
