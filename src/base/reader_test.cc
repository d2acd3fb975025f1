#include "base/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "concertina/precision.h"
#include "testing/allocation_count.h"

namespace concertina {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The number of allocations while what was read of a text is taken down.
std::int64_t allocations(const std::string& json) {
  std::optional<Reader> reader = Reader::of_json(json);
  EXPECT_TRUE(reader->status()) << json;
  const std::int64_t before = testing::allocation_count();
  reader.reset();
  return testing::allocation_count() - before;
}

TEST(Reader, AsksForNoMemoryWhenItIsTakenDown) {
  for (const char* text : {"1", "\"text\"", "[]", "{}", "[[]]", "[1, [2, [3], {}], {\"a\": [4, 5]}]",
                           R"({"a": {"b": [1, {"c": null}], "d": "text"}, "e": [[], [[7]]], "f": null})"}) {
    EXPECT_EQ(allocations(text), 0) << text;
  }
}

TEST(Reader, MayBeDeep) {
  constexpr std::size_t kDepth = 300'000;
  std::string text;
  for (std::size_t i = 0; i < kDepth; ++i) text += "{\"a\":[";
  for (std::size_t i = 0; i < kDepth; ++i) text += "]}";
  EXPECT_EQ(allocations(text), 0);
  EXPECT_FALSE(Reader::of_json(std::string(kDepth, '[')).status());
}

const char* const kJson =
    R"({"on": true, "whole": 7, "part": 0.25, "large": 4611686018427387904, "text": "a\u00e9",
    "widths": "16-12-4", "precision": "bf16", "none": null, "list": [1, [2, 3]], "table": {"b": 2, "a": 1}})";

const char* const kToml = R"(on = true
whole = 7
part = 0.25
large = 4611686018427387904
text = "aé"
widths = "16-12-4"
precision = "bf16"
list = [1, [2, 3]]
table.b = 2
table.a = 1
)";

TEST(Reader, GivesWhatIsThere) {
  for (const Reader& root : {Reader::of_json(kJson), Reader::of_toml(kToml, "x.toml")}) {
    EXPECT_TRUE(root["on"].boolean());
    EXPECT_EQ(root["whole"].whole(), 7);
    EXPECT_EQ(root["whole"].number({7, 7}), 7);
    EXPECT_EQ(root["part"].number(kPositive), 0.25);
    EXPECT_EQ(root["large"].whole<std::int64_t>(), std::int64_t{1} << 62);
    EXPECT_EQ(root["text"].text(), "a\u00e9");
    EXPECT_THAT(root["widths"].subnet().widths, ElementsAre(16, 12, 4));
    EXPECT_EQ(root["precision"].one_of<Precision>(kPrecisions), Precision::bf16);
    const std::vector<Reader> list = root["list"].entries(2, 2);
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].whole(), 1);
    EXPECT_EQ(list[1].entries()[1].whole(), 3);
    int sum = 0;
    for (const Reader& member : root["table"].members())
      sum += member.whole() * (member.key() == "a" ? 10 : 1);
    EXPECT_EQ(sum, 12);
    EXPECT_FALSE(root["absent"]);
    EXPECT_EQ(root["absent"].number_or(3, {0, 1}), 3);
    EXPECT_EQ(root["absent"].whole_or(4), 4);
    EXPECT_EQ(root["absent"]["below"].text_or("x"), "x");
    const Status status = root.status();
    EXPECT_TRUE(status) << status.error().message;
  }
  EXPECT_TRUE(Reader::of_json(kJson)["none"].is_null());
  EXPECT_EQ(Reader::of_json(R"({"a": 1, "a": 2})")["a"].whole(), 2);
}

template <typename Read>
std::string mistake(const Reader& root, Read read) {
  read(root);
  const Status status = root.status();
  return status ? "no mistake" : status.error().message;
}

TEST(Reader, SaysWhatIsWrongAndWhere) {
  const auto json = [](auto read) { return mistake(Reader::of_json(kJson), read); };
  EXPECT_EQ(json([](const Reader& r) { r["whole"].boolean(); }), "whole must be true or false");
  EXPECT_EQ(json([](const Reader& r) {
              r["whole"].whole({1, 6});
            }),
            "whole must be a whole number from 1 to 6");
  EXPECT_EQ(json([](const Reader& r) { r["large"].whole(); }),
            "large must be a whole number from 0 to 2147483647");
  EXPECT_EQ(json([](const Reader& r) { r["part"].whole(); }),
            "part must be a whole number from 0 to 2147483647");
  EXPECT_EQ(json([](const Reader& r) {
              r["whole"].number({0, 0.5});
            }),
            "whole must be a number from 0 to 0.5");
  EXPECT_EQ(json([](const Reader& r) { r["text"].number(kPositive); }), "text must be a positive number");
  EXPECT_EQ(json([](const Reader& r) { r["none"].text(); }), "none must be text in quotes");
  EXPECT_THAT(json([](const Reader& r) { r["text"].subnet(); }), HasSubstr("text must be a list of widths"));
  EXPECT_EQ(json([](const Reader& r) { r["text"].one_of<Precision>(kPrecisions); }),
            "text must be one of fp32, bf16, int8, auto; did you mean 'auto'?");
  EXPECT_EQ(json([](const Reader& r) { r["list"].entries(3); }), "list must be a list of at least 3");
  EXPECT_EQ(json([](const Reader& r) { r["list"].entries()[1].entries()[0].text(); }),
            "list[1][0] must be text in quotes");
  EXPECT_EQ(json([](const Reader& r) { r["list"]["a"].whole(); }), "list must be an object");
  EXPECT_EQ(json([](const Reader& r) { r["table"]["c"].number({}); }),
            "table.c is missing; it must be a number");
  EXPECT_EQ(json([](const Reader& r) { r["x"]["y"].boolean(); }), "x.y is missing; it must be true or false");
  EXPECT_EQ(json([](const Reader& r) {
              r["table"].allow_only({"aaa", "bb"});
            }),
            "there is no key 'table.b'; did you mean 'bb'?");
  EXPECT_EQ(json([](const Reader& r) { r["table"]["a"].fail("no"); }), "table.a: no");
  EXPECT_EQ(json([](const Reader& r) { r.entries(); }), "it must be a list");
  EXPECT_EQ(json([](const Reader& r) { r["whole"].text(), r["text"].number(); }),
            "whole must be text in quotes");
}

TEST(Reader, NamesTheLineOfToml) {
  const auto toml = [](const char* text, auto read) {
    return mistake(Reader::of_toml(text, "x.toml"), read);
  };
  EXPECT_EQ(toml(kToml, [](const Reader& r) { r["table"]["a"].text(); }),
            "x.toml: line 10: table.a must be text in quotes");
  EXPECT_EQ(toml("a = nan",
                 [](const Reader& r) {
                   r["a"].number({0, 1});
                 }),
            "x.toml: a must be a number from 0 to 1");
  EXPECT_EQ(toml("a = 2020-01-01\nb = 1", [](const Reader& r) { r["a"].number(); }),
            "x.toml: line 1: a must be a number");
  EXPECT_THAT(toml("a =\n", [](const Reader&) {}), HasSubstr("x.toml: line 1: "));
  EXPECT_THAT(toml("b = 1\nb = 2", [](const Reader& r) { r["b"].text(); }), HasSubstr("x.toml: line 2: "));
}

TEST(Reader, KnowsAFormat) {
  const auto check = [](const char* text) {
    return mistake(Reader::of_json(text),
                   [](const Reader& r) { r.check_format("format", 1, "plan", "planner"); });
  };
  EXPECT_EQ(check(R"({"format": 1})"), "no mistake");
  EXPECT_EQ(check(R"({"format": 2})"), "the plan has a format that this version does not read");
  EXPECT_EQ(check(R"({"format": "1"})"), "the plan has a format that this version does not read");
  for (const char* text : {"{}", "[]", "7", "{", ""})
    EXPECT_EQ(check(text), "it is not a plan; make one with planner") << text;
}

TEST(Reader, WritesTextAsToml) {
  const std::string text = "a \"quoted\" \\ \n text";
  EXPECT_EQ(Reader::of_toml("a = " + to_toml(text), "")["a"].text(), text);
}

}  // namespace
}  // namespace concertina
