#include "onnx/external_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "onnx/network_file.h"
#include "testing/onnx_builder.h"
#include "testing/temporary_folder.h"

namespace concertina::onnx {
namespace {

using ::testing::HasSubstr;
using Entries = std::vector<std::pair<std::string, std::string>>;

/// A network whose first array, of 12 floats, is in another file.
class ExternalData : public ::testing::Test {
 protected:
  ExternalData() {
    testing::OnnxBuilder net;
    const std::string x = net.input("image", {3, 2, 2});
    net.output(net.conv(x, {.in = 3, .out = 4}), "y", {4, 2, 2});
    EXPECT_TRUE(model_.ParseFromString(net.finish()));
    const onnx::TensorProto& weight = model_.graph().initializer(0);
    values_ = weight.raw_data();
    EXPECT_EQ(values_.size(), 48u);
  }

  /// With the array's values where these entries say.
  Result<ImportedNetwork> import(const Entries& entries) {
    onnx::TensorProto& weight = *model_.mutable_graph()->mutable_initializer(0);
    weight.clear_raw_data();
    weight.clear_float_data();
    weight.clear_external_data();
    weight.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] : entries) {
      onnx::StringStringEntryProto& entry = *weight.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    }
    path_ = folder_.write("nets/net.onnx", model_.SerializeAsString());
    return import_network(path_);
  }

  std::string refusal(const Entries& entries) {
    const auto imported = import(entries);
    return imported ? "accepted" : imported.error().message;
  }

  testing::TestFolder folder_;
  std::filesystem::path path_;
  onnx::ModelProto model_;
  std::string values_;
};

TEST_F(ExternalData, IsReadFromTheFilesFolder) {
  folder_.write("nets/data/net.data", "1234" + values_ + "tail");
  for (const char* location : {"data/net.data", "./data/../data/net.data"}) {
    const auto imported = import({{"location", location}, {"offset", "4"}, {"length", "48"}});
    ASSERT_TRUE(imported) << imported.error().message;
    EXPECT_EQ(to_little_endian(imported->network.weights.begin()->second.values), values_);
  }
}

TEST_F(ExternalData, WithoutALengthItIsTheRest) {
  folder_.write("nets/net.data", values_);
  EXPECT_TRUE(import({{"location", "net.data"}, {"checksum", "ignored"}}));
}

TEST_F(ExternalData, IsPartOfTheNetworksHash) {
  folder_.write("nets/net.data", values_);
  ASSERT_TRUE(import({{"location", "net.data"}}));
  const auto before = hash_network(path_);
  values_[5] ^= 1;
  folder_.write("nets/net.data", values_);
  EXPECT_NE(*hash_network(path_), *before);
}

TEST_F(ExternalData, WhatIsNotThereIsSaid) {
  folder_.write("nets/net.data", values_);
  folder_.write("outside.data", values_);
  EXPECT_THAT(refusal({{"location", "none.data"}}), HasSubstr("none.data"));
  EXPECT_THAT(refusal({}), HasSubstr("does not say in which file"));
  EXPECT_THAT(refusal({{"location", "../outside.data"}}), HasSubstr("outside the folder of the ONNX file"));
  EXPECT_THAT(refusal({{"location", folder_.path() / "nets/net.data"}}), HasSubstr("outside the folder"));
  std::filesystem::create_symlink(folder_.path() / "outside.data", folder_.path() / "nets/link.data");
  EXPECT_THAT(refusal({{"location", "link.data"}}), HasSubstr("outside the folder"));
  EXPECT_THAT(refusal({{"location", "net.data"}, {"offset", "4"}, {"length", "48"}}),
              HasSubstr("the bytes from 4 to 52 of 'net.data', which has only 48"));
  EXPECT_THAT(refusal({{"location", "net.data"}, {"offset", "18446744073709551615"}, {"length", "2"}}),
              HasSubstr("which has only 48"));
  EXPECT_THAT(refusal({{"location", "net.data"}, {"offset", "-1"}}), HasSubstr("'-1' is not a number"));
  EXPECT_THAT(refusal({{"location", "net.data"}, {"length", "44"}}), HasSubstr("do not fill its shape"));
}

}  // namespace
}  // namespace concertina::onnx
