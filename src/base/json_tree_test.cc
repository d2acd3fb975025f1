#include "base/json_tree.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "testing/allocation_count.h"

namespace concertina {
namespace {

template <typename Json>
class JsonTreeTest : public ::testing::Test {
 protected:
  /// The number of allocations while a tree of the text is taken down.
  static std::int64_t allocations(const std::string& text) {
    std::optional<JsonTree<Json>> tree(Json::parse(text));
    const std::int64_t before = testing::allocation_count();
    tree.reset();
    return testing::allocation_count() - before;
  }
};

using Kinds = ::testing::Types<nlohmann::json, nlohmann::ordered_json>;
TYPED_TEST_SUITE(JsonTreeTest, Kinds);

TYPED_TEST(JsonTreeTest, AsksForNoMemoryWhenItIsTakenDown) {
  for (const char* text : {"1", "\"text\"", "[]", "{}", "[[]]", "[1, [2, [3], {}], {\"a\": [4, 5]}]",
                           R"({"a": {"b": [1, {"c": null}], "d": "text"}, "e": [[], [[7]]], "f": null})"}) {
    EXPECT_EQ(this->allocations(text), 0) << text;
  }
}

TYPED_TEST(JsonTreeTest, MayBeDeep) {
  constexpr std::size_t kDepth = 300'000;
  std::string text;
  for (std::size_t i = 0; i < kDepth; ++i) text += "{\"a\":[";
  for (std::size_t i = 0; i < kDepth; ++i) text += "]}";
  EXPECT_EQ(this->allocations(text), 0);
}

TYPED_TEST(JsonTreeTest, GivesItsValue) {
  JsonTree<TypeParam> tree(TypeParam::parse(R"({"a": [1, 2]})"));
  const JsonTree<TypeParam> moved = std::move(tree);
  EXPECT_EQ(moved->at("a").size(), 2U);
  EXPECT_EQ((*moved)["a"][1], 2);
}

}  // namespace
}  // namespace concertina
