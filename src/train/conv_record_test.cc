#include "train/conv_record.h"

#include <gtest/gtest.h>

namespace concertina::train {
namespace {

const ConvVerdicts& some_verdicts() {
  static const ConvVerdicts verdicts = {{"a", {.libtorch = true, .times = KindTimes{{1.5, 1}, {0.75, 0.5}}}},
                                        {"b", {.libtorch = false}}};
  return verdicts;
}

void expect_equal(const ConvVerdicts& got, const ConvVerdicts& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (const auto& [name, verdict] : wanted) {
    ASSERT_TRUE(got.contains(name)) << name;
    EXPECT_EQ(got.at(name).libtorch, verdict.libtorch);
    ASSERT_EQ(got.at(name).times.has_value(), verdict.times.has_value());
    if (!verdict.times) continue;
    EXPECT_EQ(got.at(name).times->full.own_ms, verdict.times->full.own_ms);
    EXPECT_EQ(got.at(name).times->full.libtorch_ms, verdict.times->full.libtorch_ms);
    EXPECT_EQ(got.at(name).times->half.own_ms, verdict.times->half.own_ms);
    EXPECT_EQ(got.at(name).times->half.libtorch_ms, verdict.times->half.libtorch_ms);
  }
}

TEST(ConvRecord, IsReadAsItWasWritten) {
  const auto read = parse_conv_record(to_json({.wanted = recipe::Convolutions::measured,
                                               .precision = Precision::bf16,
                                               .batch = 30,
                                               .kinds = some_verdicts()}));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->wanted, recipe::Convolutions::measured);
  EXPECT_EQ(read->precision, Precision::bf16);
  EXPECT_EQ(read->batch, 30);
  EXPECT_EQ(read->choice().libtorch, std::set<std::string>{"a"});
  expect_equal(read->kinds, some_verdicts());
}

TEST(ConvRecord, ACacheIsReadAsItWasWritten) {
  const auto read = parse_conv_cache(to_json(ConvCache{.machine = "m", .kinds = some_verdicts()}));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->machine, "m");
  expect_equal(read->kinds, some_verdicts());
}

TEST(ConvRecord, WhatIsDamagedIsNotRead) {
  const std::string record = to_json(ConvRecord{.kinds = some_verdicts()}),
                    cache = to_json(ConvCache{.machine = "m", .kinds = some_verdicts()});
  const auto without = [](std::string text, const std::string& part, const std::string& other) {
    return text.replace(text.find(part), part.size(), other);
  };
  EXPECT_TRUE(parse_conv_record(record));
  for (const std::string& text :
       {record.substr(0, record.size() / 2), cache, without(record, "\"libtorch\"", "\"nobody\""),
        without(record, "1.5", "-1.5"), without(record, "\"fp32\"", "\"fp8\""),
        without(record, "half_ms", "other")})
    EXPECT_FALSE(parse_conv_record(text)) << text;
  EXPECT_TRUE(parse_conv_cache(cache));
  for (const std::string& text : {cache.substr(0, cache.size() / 2), record, without(cache, "\"m\"", "1"),
                                  without(cache, "0.75", "\"fast\"")})
    EXPECT_FALSE(parse_conv_cache(text)) << text;
}

}  // namespace
}  // namespace concertina::train
