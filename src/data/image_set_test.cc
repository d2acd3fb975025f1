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

}  // namespace
}  // namespace concertina::data
