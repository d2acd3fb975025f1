#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "cascade/cascade.h"
#include "testing/each_allocation.h"
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

TEST(CascadeFile, MayRunOutOfMemory) {
  if (models::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  const std::string text = some_cascade().to_json();
  EXPECT_GT(models::fail_each_allocation_inside([&] {
              const auto read = Cascade::parse(text);
              return read ? read->stages : std::vector<CascadeStage>();
            }),
            0);
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
  expect("stages must be a list of at least 1", [](Json& c) { c["stages"] = Json::array(); });
  expect("promise.images is missing", [](Json& c) { c.erase("promise"); });
  expect("a format that this version does not read", [](Json& c) { c["concertina_cascade"] = 2; });
  expect("confidence must be one of probability, margin, entropy", [](Json& c) { c["confidence"] = "hope"; });
  expect("precision must be one of fp32, bf16", [](Json& c) { c["precision"] = "fp8"; });
  expect("repeats a look", [](Json& c) { c["stages"][1]["mirrored"] = true; });
  expect("a smaller sub-net than the one before", [](Json& c) { c["stages"][2]["subnet"] = 3; });
  expect("promise.accuracy must be a number from 0 to 1", [](Json& c) { c["promise"]["accuracy"] = 1.5; });
  expect("promise must be an object", [](Json& c) { c["promise"] = 1; });
  const auto expect_stage = [&](const char* sentence, const std::function<void(Json&)>& edit) {
    expect(sentence, [&](Json& c) { edit(c["stages"][1]); });
  };
  expect_stage("stages[1] must be an object", [](Json& s) { s = 1; });
  expect_stage("stages[1].subnet must be a whole number", [](Json& s) { s["subnet"] = -1; });
  expect_stage("stages[1].subnet must be a whole number", [](Json& s) { s["subnet"] = 0.5; });
  expect_stage("stages[1].own must be a number from -1000 to 1000", [](Json& s) { s["own"] = 1e9; });
  expect_stage("stages[1].before must be a number", [](Json& s) { s["before"] = "much"; });
  expect_stage("stages[1].threshold must be a number from 0 to 1", [](Json& s) { s["threshold"] = 1.1; });
  expect_stage("stages[1].mirrored is missing", [](Json& s) { s.erase("mirrored"); });
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
  cascade.precision = Precision::bf16;
  EXPECT_THAT(cascade.check(*model).error().message, HasSubstr("was chosen in bf16"));
}

}  // namespace
}  // namespace concertina::cascade
