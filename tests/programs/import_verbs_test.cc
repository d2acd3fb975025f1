// import and explain as a user runs them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "programs/programs.h"
#include "testing/exporter_files.h"
#include "testing/onnx_builder.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class ImportVerbsTest : public ProgramTest {};

TEST_F(ImportVerbsTest, EveryStructureIsImportedOnceAndForAll) {
  for (const std::string& name : test_networks()) {
    const std::string given = folder_.write(name + ".onnx", test_network(name));
    const std::string first = (folder_ / "first.onnx").string(), second = (folder_ / "second.onnx").string();
    const ProcessResult once = concertina_train({"import", given, "--out", first});
    ASSERT_EQ(once.exit_code, 0) << name << once.err;
    EXPECT_THAT(once.out, HasSubstr("channel dimensions can shrink"));
    ASSERT_EQ(concertina_train({"import", first, "--out", second}).exit_code, 0) << name;
    EXPECT_EQ(*read_file(first), *read_file(second)) << name;
  }
}

TEST_F(ImportVerbsTest, ExplainsInTextJsonAndAPicture) {
  const std::string net = folder_.write("net.onnx", test_network("mobilenet_v3"));
  const std::string picture = (folder_ / "net.html").string();
  const ProcessResult text = concertina_train({"explain", net, "--html", picture});
  ASSERT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("6 of 8 channel dimensions can shrink"));
  EXPECT_THAT(text.out, HasSubstr("is depthwise: its channels are its input's"));
  EXPECT_THAT(text.out, HasSubstr("locked: 'image' is the network's input"));
  EXPECT_THAT(*read_file(picture), HasSubstr("</svg>"));
  const auto json = nlohmann::json::parse(concertina_train({"explain", net, "--json"}).out);
  ASSERT_EQ(json["dimensions"].size(), 8u);
  EXPECT_TRUE(json["dimensions"][0]["free"]);
  EXPECT_GT(json["dimensions"][0]["macs_at_stake"], 0);
  EXPECT_EQ(json["dimensions"][7]["locks"].size(), 1u);
  EXPECT_TRUE(json["not_understood"].empty());
}

TEST_F(ImportVerbsTest, ExplainsWhatCanBeLeftOut) {
  const std::string resnet = folder_.write("resnet.onnx", test_network("resnet"));
  EXPECT_THAT(concertina_train({"explain", resnet}).out, HasSubstr("branches can be left out"));
  const auto json = nlohmann::json::parse(concertina_train({"explain", resnet, "--json"}).out);
  ASSERT_FALSE(json["branches"].empty());
  for (const auto& branch : json["branches"]) {
    EXPECT_GT(branch["macs"], 0);
    EXPECT_FALSE(branch["dimensions"].empty());
  }
  EXPECT_FALSE(json["resolutions"].empty());
  const std::string vgg = folder_.write("vgg.onnx", test_network("vgg"));
  const std::string text = concertina_train({"explain", vgg}).out;
  EXPECT_THAT(text, Not(HasSubstr("can be left out")));
  EXPECT_THAT(text, HasSubstr("no smaller images: the network cannot run at a resolution of"));
  EXPECT_THAT(text, HasSubstr("never left out: the output"));
}

TEST_F(ImportVerbsTest, WhatIsNotUnderstoodStopsImportButNotExplain) {
  OnnxBuilder net;
  const std::string a = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
  const std::string odd = net.node("Hardmax", {a});
  net.output(net.conv(net.conv(odd, {.in = 4, .out = 8}), {.in = 8, .out = 2}), "y", {2, 4, 4});
  net.output(odd, "odd", {4, 4, 4});
  const std::string path = folder_.write("odd.onnx", net.finish());
  expect_refused(concertina_train({"import", path, "--out", (folder_ / "out.onnx").string()}),
                 "1 of its nodes cannot be trained or run: 'odd' (Hardmax: there is no rule for this op)");
  EXPECT_FALSE(fs::exists(folder_ / "out.onnx"));
  const ProcessResult explained = concertina_train({"explain", path});
  ASSERT_EQ(explained.exit_code, 0) << explained.err;
  EXPECT_THAT(explained.out, HasSubstr("not understood: node 'odd' (Hardmax)"));
  EXPECT_THAT(explained.out, HasSubstr("1 of "));
}

TEST_F(ImportVerbsTest, BadInputGetsOneSentence) {
  const std::string bytes = test_network("vgg");
  const std::string net = folder_.write("net.onnx", bytes);
  expect_refused(concertina_train({"import", (folder_ / "none.onnx").string()}), "none.onnx");
  expect_refused(concertina_train({"import", folder_.write("cut.onnx", bytes.substr(0, bytes.size() / 2))}),
                 "damaged or cut short");
  expect_refused(concertina_train({"import", folder_.write("text.onnx", "no network")}), "not ONNX");
  expect_refused(concertina_train({"import", folder_.write("empty.onnx", "")}), "not ONNX");
  expect_refused(concertina_train({"import", net, "--input", "3x"}), "no shape such as 3x224x224");
  expect_refused(concertina_train({"import", net, "--input", "3x0x8"}), "no shape such as 3x224x224");
  expect_refused(concertina_train({"import", net, "--input", "4x16x16"}), "node '/Conv_");
  expect_refused(concertina_train({"import", net, "--out", "/dev/null/out.onnx"}), "/dev/null");
}

}  // namespace
}  // namespace concertina::testing
