#include "data/image_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace concertina::data {
namespace {

using ::testing::ElementsAre;

TEST(TrainingSplit, EveryImageIsInOnePart) {
  const TrainingSplit split = split_training(1000, 300, 7);
  EXPECT_EQ(split.validation.size(), 300U);
  std::vector<std::int64_t> all = split.training;
  all.insert(all.end(), split.validation.begin(), split.validation.end());
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), 1000U);
  for (std::int64_t i = 0; i < 1000; ++i) EXPECT_EQ(all[i], i);
}

// A model's validation images must be found again by every later version.
TEST(TrainingSplit, NeverChanges) {
  EXPECT_THAT(split_training(20, 6, 1).validation, ElementsAre(10, 14, 13, 4, 15, 19));
  EXPECT_NE(split_training(20, 6, 1).validation, split_training(20, 6, 2).validation);
}

// A larger validation set contains a smaller one.
TEST(TrainingSplit, GrowsFromTheFront) {
  const auto few = split_training(100, 10, 3).validation, many = split_training(100, 20, 3).validation;
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
}

// Model files hold it.
TEST(HashOfLabels, NeverChangesAndSeesOrderAndLabels) {
  const std::vector<std::int32_t> labels = {3, 1, 0, 2};
  EXPECT_EQ(hash_of_labels(labels, {}), 0xcbf29ce484222325);
  EXPECT_EQ(hash_of_labels(labels, std::vector<std::int64_t>{1}), 0xad2aca7747985764);
  EXPECT_NE(hash_of_labels(labels, std::vector<std::int64_t>{0, 1}),
            hash_of_labels(labels, std::vector<std::int64_t>{1, 0}));
}

std::vector<std::int64_t> counts_of(const std::vector<std::int64_t>& images,
                                    const std::vector<std::int32_t>& labels, std::size_t classes) {
  std::vector<std::int64_t> counts(classes);
  for (const std::int64_t i : images) ++counts[static_cast<std::size_t>(labels[static_cast<std::size_t>(i)])];
  return counts;
}

TEST(SplitByClass, EachClassHasItsShare) {
  std::vector<std::int32_t> labels(100, 0);
  labels.insert(labels.end(), 50, 1);
  labels.insert(labels.end(), 3, 2);
  labels.insert(labels.end(), 1, 3);
  const TrainingSplit split = split_by_class(labels, 31, 5);
  EXPECT_THAT(counts_of(split.validation, labels, 4), ElementsAre(20, 10, 1, 0));
  EXPECT_THAT(counts_of(split.training, labels, 4), ElementsAre(80, 40, 2, 1));
  EXPECT_NE(split_by_class(labels, 31, 6).validation, split.validation);
}

TEST(SplitByClass, AClassKeepsAnImageForTrainingWhileItCan) {
  const std::vector<std::int32_t> labels = {0, 0, 1, 1, 2, 2};
  EXPECT_THAT(counts_of(split_by_class(labels, 3, 1).training, labels, 3), ElementsAre(1, 1, 1));
  EXPECT_EQ(split_by_class(labels, 5, 1).validation.size(), 5U);
  EXPECT_EQ(split_by_class(labels, 6, 1).training.size(), 0U);
  EXPECT_TRUE(split_by_class({}, 0, 1).training.empty());
}

// Images without labels, and models of before, are found the same way.
TEST(SplitByClass, OfOneClassIsTheOtherSplit) {
  const std::vector<std::int32_t> labels(40, 0);
  EXPECT_EQ(split_by_class(labels, 7, 3).validation, split_training(40, 7, 3).validation);
  EXPECT_EQ(split_by_class(labels, 7, 3).training, split_training(40, 7, 3).training);
}

// A model's validation images must be found again by every later version.
TEST(SplitByClass, NeverChanges) {
  const std::vector<std::int32_t> labels = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  EXPECT_THAT(split_by_class(labels, 4, 1).validation, ElementsAre(10, 8, 7, 3));
}

}  // namespace
}  // namespace concertina::data
