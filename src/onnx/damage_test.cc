// What a damaged or dishonest file leads to: one sentence, never a crash and never a model.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "onnx/check.h"
#include "onnx/network_file.h"
#include "onnx/onnx_file.h"
#include "onnx_subset.pb.h"
#include "testing/models.h"
#include "testing/net.h"

namespace concertina::onnx {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

/// Small, so that every byte can be tried.
ModelFile small_model() {
  testing::Net net({1, 4, 4});
  net.classify(net.conv_bn("conv", testing::kImage, 4, testing::kThree), 2);
  ModelFile model = testing::random_model(net.build(), 2);
  model.validation = ValidationImages{.count = 50, .among = 500, .seed = 7, .labels = 0x0123456789abcdef};
  model.subnets[0].quantization = {{"conv", {0.1F, 128}}, {"image", {0.2F, 128}}};
  model.subnets[1].quantization = {{"conv", {0.3F, 0}}};
  return model;
}

std::string small_file() {
  return *serialize_model(small_model());
}

TEST(Damage, AFileCutAnywhereIsRefused) {
  const std::string bytes = small_file();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_FALSE(parse_model(std::string_view(bytes).substr(0, length))) << length;
  }
  EXPECT_FALSE(parse_model(bytes + '\0'));
  EXPECT_THAT(parse_model("").error().message, HasSubstr("not ONNX, or it is damaged or cut short"));
}

TEST(Damage, EveryFlippedBitIsFound) {
  std::string bytes = small_file();
  const CounterRandom random(1);
  for (std::uint64_t i = 0; i < 4000; ++i) {
    char& byte = bytes[random.below(bytes.size(), 2 * i)];
    const char flip = static_cast<char>(1 << random.below(8, 2 * i + 1));
    byte = static_cast<char>(byte ^ flip);
    ASSERT_FALSE(parse_model(bytes)) << i;
    byte = static_cast<char>(byte ^ flip);
  }
  EXPECT_TRUE(parse_model(bytes));
}

// Without the seal only crashes can be asked about; the sanitizers and this loop are the test.
TEST(Damage, FlippedBitsUnderAFreshSealDoNotCrash) {
  const onnx::ModelProto model = [] {
    onnx::ModelProto parsed;
    parsed.ParseFromString(small_file());
    parsed.mutable_metadata_props()->RemoveLast();
    return parsed;
  }();
  std::string bytes = model.SerializeAsString();
  const CounterRandom random(2);
  int accepted = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    char& byte = bytes[random.below(bytes.size(), 2 * i)];
    const char flip = static_cast<char>(1 << random.below(8, 2 * i + 1));
    byte = static_cast<char>(byte ^ flip);
    if (const auto read = parse_model(seal(bytes, kModelFormat))) {
      ++accepted;
      ASSERT_TRUE(check_model(*read));
    }
    byte = static_cast<char>(byte ^ flip);
  }
  EXPECT_GT(accepted, 0);  // a changed weight is a weight
}

/// Our model with its entries as a map, edited and sealed again.
Result<ModelFile> parse_edited(const std::function<void(std::map<std::string, std::string>&)>& edit,
                               int seal_format = kModelFormat) {
  onnx::ModelProto model;
  model.ParseFromString(small_file());
  std::map<std::string, std::string> entries;
  for (const auto& entry : model.metadata_props()) entries[entry.key()] = entry.value();
  entries.erase("concertina.checksum");
  edit(entries);
  model.clear_metadata_props();
  for (const auto& [key, value] : entries) {
    model.add_metadata_props()->set_key(key);
    model.mutable_metadata_props()->rbegin()->set_value(value);
  }
  return parse_model(seal(model.SerializeAsString(), seal_format));
}

void expect_refusal(const char* sentence,
                    const std::function<void(std::map<std::string, std::string>&)>& edit) {
  const auto read = parse_edited(edit);
  ASSERT_FALSE(read) << sentence;
  EXPECT_THAT(read.error().message, HasSubstr(sentence));
}

void expect_table_refusal(const char* sentence, const std::function<void(Json&)>& edit) {
  expect_refusal(sentence, [&](auto& entries) {
    Json table = Json::parse(entries["concertina.subnets"]);
    edit(table);
    entries["concertina.subnets"] = table.dump();
    entries.erase("concertina.quantization");  // it lists the sub-nets, too
  });
}

void expect_scales_refusal(const char* sentence, const std::function<void(Json&)>& edit) {
  expect_refusal(sentence, [&](auto& entries) {
    Json scales = Json::parse(entries["concertina.quantization"]);
    edit(scales);
    entries["concertina.quantization"] = scales.dump();
  });
}

TEST(Damage, NewerFormatsAreNamed) {
  expect_refusal("has format 7, but this version reads formats up to 6; update Concertina",
                 [](auto& e) { e["concertina.format"] = "7"; });
  for (const char* teacher : {"", "abc", "0123456789abcdeg"})
    expect_refusal("concertina.teacher", [&](auto& e) { e["concertina.teacher"] = teacher; });
  expect_refusal("concertina.label_maps", [](auto& e) { e["concertina.label_maps"] = "{}"; });
  expect_refusal("format '1x' is not a number", [](auto& e) { e["concertina.format"] = "1x"; });
  expect_refusal("not a dynamic model", [](auto& e) { e.erase("concertina.format"); });
}

TEST(Damage, AFormatHasItsOwnSeal) {
  const auto make_old = [](auto& entries) { entries["concertina.format"] = "2"; };
  EXPECT_TRUE(parse_edited(make_old, 2));
  EXPECT_FALSE(parse_edited(make_old, 3));
  EXPECT_FALSE(parse_edited([](auto&) {}, 2));
}

TEST(Damage, ProbesMayBeMissingButNotMalformed) {
  const auto with_probe = [](const char* text) {
    return [text](auto& entries) { entries["concertina.probe.1"] = text; };
  };
  EXPECT_TRUE(parse_edited([](auto& entries) { entries.erase("concertina.probe.1"); }));
  for (const char* text : {"", "x", "AAAA"})
    expect_refusal("'concertina.probe.1' does not hold", with_probe(text));
  expect_refusal("it has 1 logits of 2 images for 2 outputs", with_probe("AAAAAA=="));
  expect_refusal("its logits hold the impossible value nan", with_probe("AADAfwAAwH8AAMB/AADAfw=="));
}

TEST(Damage, OlderFilesDoNotSayWhichTheValidationImagesAre) {
  const auto older = parse_edited([](auto& entries) { entries.erase("concertina.validation"); });
  ASSERT_TRUE(older) << older.error().message;
  EXPECT_FALSE(older->validation);
  const auto with = [](const char* text) {
    return [text](auto& entries) { entries["concertina.validation"] = text; };
  };
  expect_refusal("'concertina.validation' is wrong: images is missing", with("{}"));
  expect_refusal("labels must be 16 hexadecimal digits",
                 with(R"({"images": 1, "among": 2, "seed": 3, "labels": "0123456789abcdeg"})"));
  expect_refusal("labels must be 16 hexadecimal digits",
                 with(R"({"images": 1, "among": 2, "seed": 3, "labels": "12"})"));
  expect_refusal("validated on 3 of 2 images",
                 with(R"({"images": 3, "among": 2, "seed": 3, "labels": "0123456789abcdef"})"));
}

TEST(Damage, UnknownEntriesAreForLaterVersions) {
  EXPECT_TRUE(parse_edited([](auto& e) { e["concertina.novelty"] = "?"; }));
}

TEST(Damage, EntriesThatAreMissingOrMalformedAreNamed) {
  for (const char* key : {"concertina.subnets", "concertina.preprocessing", "concertina.classes",
                          "concertina.statistics.0", "concertina.statistics.1", "concertina.parameters.1"}) {
    expect_refusal((std::string("'") + key + "' is missing").c_str(), [&](auto& e) { e.erase(key); });
    for (const char* value : {"", "x", "[", "7", "null", "[1]", "{}", "{\"mean\":[1e999],\"stddev\":[1]}"}) {
      const auto read = parse_edited([&](auto& e) { e[key] = value; });
      ASSERT_FALSE(read);
      EXPECT_THAT(read.error().message, HasSubstr(key));
    }
  }
  expect_refusal("'concertina.statistics.1' has 3 bytes where its sub-net",
                 [](auto& e) { e["concertina.statistics.1"] = "AAAA"; });
  expect_refusal("holds the impossible value nan", [](auto& e) {
    std::string& text = e["concertina.statistics.1"];
    text.replace(0, 16, "AADAfwAAwH8AAMB/");  // three times NaN
  });
}

TEST(Damage, LiesInTheTableAreFound) {
  expect_table_refusal("subnets[1].parameters_of_its_own must be a list",
                       [](Json& t) { t["subnets"][1]["parameters_of_its_own"] = 7; });
  expect_table_refusal("not the network's",
                       [](Json& t) { t["subnets"][1]["parameters_of_its_own"].push_back("x.weight"); });
  expect_table_refusal("bytes where its sub-net",
                       [](Json& t) { t["subnets"][1]["parameters_of_its_own"].erase(0); });
  expect_table_refusal("a wrong size; it has", [](Json& t) { t["subnets"][1]["macs"] = 1; });
  expect_table_refusal("subnets[0].parameters is missing",
                       [](Json& t) { t["subnets"][0].erase("parameters"); });
  expect_table_refusal("channel dimensions", [](Json& t) { t["dimensions"][0] = "other"; });
  expect_table_refusal("subnets[1].widths[0] must be a whole number",
                       [](Json& t) { t["subnets"][1]["widths"][0] = -1; });
  expect_table_refusal("subnets[1].widths[0] must be a whole number",
                       [](Json& t) { t["subnets"][1]["widths"][0] = 4294967297; });
  expect_table_refusal("keeps 99 channels of", [](Json& t) { t["subnets"][1]["widths"][0] = 99; });
  expect_table_refusal("accuracy is 2", [](Json& t) { t["subnets"][1]["validation_accuracy"] = 2; });
  expect_table_refusal("subnets[1].test_accuracy must be a number",
                       [](Json& t) { t["subnets"][1]["test_accuracy"] = "x"; });
  expect_table_refusal("no sub-nets", [](Json& t) { t["subnets"] = Json::array(); });
}

TEST(Damage, ScalesMayBeMissingButNotWrong) {
  const auto without = parse_edited([](auto& e) { e.erase("concertina.quantization"); });
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_TRUE(without->subnets[0].quantization.empty());
  for (const char* value : {"", "x", "[", "7", "null", "[1]", "{}", "{\"tensors\":[]}"})
    expect_refusal("concertina.quantization", [&](auto& e) { e["concertina.quantization"] = value; });
  expect_scales_refusal("tensors[0] must be text", [](Json& q) { q["tensors"][0] = 7; });
  expect_scales_refusal("lists a tensor twice", [](Json& q) { q["tensors"][0] = q["tensors"][1]; });
  expect_scales_refusal("it has a scale of 'x', which is no tensor of it",
                        [](Json& q) { q["tensors"][0] = "x"; });
  expect_scales_refusal("subnets must be a list of 2", [](Json& q) { q["subnets"].erase(1); });
  expect_scales_refusal("subnets[1].scales is missing", [](Json& q) { q["subnets"][1].erase("scales"); });
  expect_scales_refusal("subnets[1].zero_points must be a list of 2",
                        [](Json& q) { q["subnets"][1]["zero_points"].push_back(0); });
  expect_scales_refusal("subnets[0].scales[1] must be a number",
                        [](Json& q) { q["subnets"][0]["scales"][1] = nullptr; });
  expect_scales_refusal("subnets[0].scales[1] must be a number",
                        [](Json& q) { q["subnets"][0]["scales"][1] = 1e39; });
  expect_scales_refusal("subnets[0].scales[1] must be a number",
                        [](Json& q) { q["subnets"][0]["scales"][1] = -0.1; });
  for (const double scale : {0.0, 1e-40, 1e-60})
    expect_scales_refusal("'conv' has the scale", [&](Json& q) { q["subnets"][0]["scales"][1] = scale; });
  for (const Json& point : {Json(256), Json(-1), Json(0.5), Json("0"), Json()}) {
    expect_scales_refusal("subnets[0].zero_points[1] must be a whole number from 0 to 255",
                          [&](Json& q) { q["subnets"][0]["zero_points"][1] = point; });
  }
}

TEST(Damage, WrongScalesAreNotWritten) {
  ModelFile model = small_model();
  for (const Quantization& wrong :
       {Quantization{0, 0}, {-1, 0}, {INFINITY, 0}, {NAN, 0}, {1, -1}, {1, 256}}) {
    model.subnets[1].quantization["conv"] = wrong;
    EXPECT_THAT(serialize_model(model).error().message, HasSubstr("which cannot be"));
  }
}

}  // namespace
}  // namespace concertina::onnx
