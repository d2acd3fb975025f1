#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "cascade/cascade.h"
#include "testing/models.h"

namespace concertina::cascade {
namespace {

namespace models = concertina::testing;
using ::testing::HasSubstr;
using Json = nlohmann::json;

Cascade some_cascade() {
  return {.model = "0123456789abcdef",
          .measure = ConfidenceMeasure::margin,
          .stages = {{.look = {2, true}, .blend = {.own = 0.9}, .threshold = 0.75},
                     {.look = {2, false}, .blend = {.own = 0.5, .before = -0.25}, .threshold = 0.1},
                     {.look = {0, false}, .blend = {}}},
          .promise = {.images = 500,
                      .reference = 1,
                      .accuracy = 0.8,
                      .reference_accuracy = 0.81,
                      .ms = 0.3,
                      .reference_ms = 0.5}};
}

TEST(CascadeFile, SurvivesBeingWritten) {
  const auto again = Cascade::parse(some_cascade().to_json());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, some_cascade());
}

TEST(CascadeFile, RefusesWhatItWasNotMadeOf) {
  const auto expect = [](const char* sentence, const std::function<void(Json&)>& edit) {
    Json json = Json::parse(some_cascade().to_json());
    edit(json);
    const auto read = Cascade::parse(json.dump());
    ASSERT_FALSE(read) << sentence;
    EXPECT_THAT(read.error().message, HasSubstr(sentence));
  };
  expect("it is not a cascade", [](Json& c) { c = 3; });
  expect("it is not a cascade", [](Json& c) { c["stages"] = Json::array(); });
  expect("it is not a cascade", [](Json& c) { c.erase("promise"); });
  expect("a format that this version does not read", [](Json& c) { c["concertina_cascade"] = 2; });
  expect("its confidence is none of", [](Json& c) { c["confidence"] = "hope"; });
  expect("repeats a look", [](Json& c) { c["stages"][1]["mirrored"] = true; });
  expect("a smaller sub-net than the one before", [](Json& c) { c["stages"][2]["subnet"] = 3; });
  expect("promise lacks", [](Json& c) { c["promise"]["accuracy"] = 1.5; });
  expect("promise lacks", [](Json& c) { c["promise"] = 1; });
  for (const auto& edit : std::vector<std::function<void(Json&)>>{
           [](Json& s) { s = 1; }, [](Json& s) { s["subnet"] = -1; }, [](Json& s) { s["subnet"] = 0.5; },
           [](Json& s) { s["own"] = 1e9; }, [](Json& s) { s["before"] = "much"; },
           [](Json& s) { s["threshold"] = 1.1; }, [](Json& s) { s.erase("mirrored"); }}) {
    expect("stage 1 of the cascade lacks", [&](Json& c) { edit(c["stages"][1]); });
  }
  EXPECT_FALSE(Cascade::parse("{"));
}

TEST(CascadeFile, IsForOneModelAndPrecision) {
  const Graph graph = models::resnet8();
  onnx::ModelFile file = models::model_file(graph, models::nested_subnets(graph, 3));
  const auto model = models::load(file);
  Cascade cascade = some_cascade();
  cascade.model = fingerprint(*model);
  EXPECT_TRUE(cascade.check(*model));
  file.subnets[1].validation_accuracy = 0.123;
  EXPECT_THAT(cascade.check(*models::load(file)).error().message, HasSubstr("for another model"));
  cascade.stages[0].look.subnet = 3;
  EXPECT_THAT(cascade.check(*model).error().message, HasSubstr("names sub-net 3"));
  cascade.precision = "bf16";
  EXPECT_THAT(cascade.check(*model).error().message, HasSubstr("was chosen in bf16"));
}

}  // namespace
}  // namespace concertina::cascade
