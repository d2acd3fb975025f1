#include "onnx/onnx_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace concertina::onnx {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

// Hashes of "abc" by xxhsum -H3 and by a page of Python.
constexpr const char* kXxh3 = "78af5f94892f3950";
constexpr const char* kFnv1a = "e71fa2190541574b";

TEST(Seal, IsTheHashOfItsFormat) {
  for (const int format : {1, 2}) EXPECT_THAT(seal("abc", format), EndsWith(kFnv1a));
  EXPECT_THAT(seal("abc", 3), EndsWith(kXxh3));
  EXPECT_THAT(seal("abc", 3), StartsWith("abc"));
  EXPECT_EQ(seal("abc", 3).size(), 3U + 41);
}

TEST(Seal, BreaksWhenAnythingChanges) {
  for (const int format : {1, 2, 3}) {
    std::string sealed = seal("abc", format);
    EXPECT_TRUE(is_sealed(sealed, format));
    EXPECT_FALSE(is_sealed(sealed, format == 3 ? 2 : 3));
    sealed[1] = 'x';
    EXPECT_FALSE(is_sealed(sealed, format));
  }
  EXPECT_FALSE(is_sealed("", 3));
  EXPECT_FALSE(is_sealed("abc", 3));
}

/// With the arrays where protobuf's own parser would have put them.
std::string as_parsed_by_protobuf(OnnxFile& file) {
  for (int i = 0; i < file.model.graph().initializer_size(); ++i) {
    const std::string_view raw = file.raw_data[i];
    if (raw.data() != nullptr)
      file.model.mutable_graph()->mutable_initializer(i)->set_raw_data(std::string(raw));
  }
  return file.model.SerializePartialAsString();
}

void expect_same_as_protobuf(const std::string& bytes) {
  onnx::ModelProto wanted;
  ASSERT_TRUE(wanted.ParsePartialFromString(bytes));
  OnnxFile file;
  ASSERT_TRUE(parse_in_place(bytes, file));
  ASSERT_EQ(file.raw_data.size(), static_cast<std::size_t>(file.model.graph().initializer_size()));
  EXPECT_EQ(as_parsed_by_protobuf(file), wanted.SerializePartialAsString());
}

onnx::ModelProto small_proto() {
  onnx::ModelProto model;
  model.set_ir_version(8);
  onnx::TensorProto& raw = *model.mutable_graph()->add_initializer();
  raw.set_name("raw");
  raw.add_dims(2);
  raw.set_raw_data("12345678");
  onnx::TensorProto& typed = *model.mutable_graph()->add_initializer();
  typed.set_name("typed");
  typed.add_float_data(1.5F);
  onnx::NodeProto& node = *model.mutable_graph()->add_node();
  node.set_op_type("Constant");
  node.add_attribute()->mutable_t()->set_raw_data("abcd");
  return model;
}

TEST(ParseInPlace, ReadsWhatProtobufReads) {
  expect_same_as_protobuf("");
  expect_same_as_protobuf(small_proto().SerializeAsString());
}

TEST(ParseInPlace, PointsIntoTheBytes) {
  const std::string bytes = small_proto().SerializeAsString();
  OnnxFile file;
  ASSERT_TRUE(parse_in_place(bytes, file));
  ASSERT_EQ(file.raw_data.size(), 2u);
  EXPECT_EQ(file.raw_data[0], "12345678");
  EXPECT_GE(file.raw_data[0].data(), bytes.data());
  EXPECT_LE(file.raw_data[0].data() + 8, bytes.data() + bytes.size());
  EXPECT_FALSE(file.model.graph().initializer(0).has_raw_data());
  EXPECT_EQ(file.raw_data[1], "");
  EXPECT_EQ(file.model.graph().node(0).attribute(0).t().raw_data(), "abcd");
}

// Protobuf merges what comes in pieces: lists grow, and of single values the last one holds.
TEST(ParseInPlace, MergesPieces) {
  onnx::ModelProto second;
  second.mutable_graph()->add_initializer()->set_raw_data("more");
  second.mutable_graph()->set_name("second");
  expect_same_as_protobuf(small_proto().SerializeAsString() + second.SerializeAsString());
  onnx::TensorProto tensor;
  tensor.set_raw_data("first");
  const std::string twice =
      tensor.SerializeAsString() + small_proto().graph().initializer(0).SerializeAsString();
  std::string graph = "\x2a";  // field 5, with a length
  graph += static_cast<char>(twice.size());
  graph += twice;
  std::string model = "\x3a";  // field 7, with a length
  model += static_cast<char>(graph.size());
  model += graph;
  expect_same_as_protobuf(model);
}

TEST(ParseInPlace, RefusesWhatProtobufRefuses) {
  for (const std::string_view long_varint : {std::string_view("\xba\x80\x80\x80\x80\x00\x00", 7),
                                             std::string_view("\x3a\x80\x80\x80\x80\x80\x00", 7)}) {
    onnx::ModelProto model;
    OnnxFile file;
    EXPECT_FALSE(model.ParsePartialFromString(std::string(long_varint)));
    EXPECT_FALSE(parse_in_place(long_varint, file));
  }
  const std::string bytes = small_proto().SerializeAsString();
  for (std::size_t length = 1; length < bytes.size(); ++length) {
    onnx::ModelProto model;
    OnnxFile file;
    EXPECT_EQ(parse_in_place(bytes.substr(0, length), file),
              model.ParsePartialFromString(bytes.substr(0, length)))
        << length;
  }
}

}  // namespace
}  // namespace concertina::onnx
