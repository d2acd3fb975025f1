#include "kernels/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina::kernels {
namespace {

TEST(Target, UsesTheBestUnlessLimited) {
  const auto names = target_names();
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(target_name(), names.front());
  for (const auto& name : names) {
    ASSERT_TRUE(limit_target(name));
    EXPECT_EQ(target_name(), name);
    EXPECT_GE(epilogue_size(1), 2 * vector_lanes());
  }
  ASSERT_TRUE(limit_target(""));
  EXPECT_EQ(target_name(), names.front());
}

TEST(Target, RefusesWhatTheMachineLacks) {
  const Status refused = limit_target("ABACUS");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("ABACUS"));
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr(target_names().front()));
  EXPECT_EQ(target_name(), target_names().front());
}

}  // namespace
}  // namespace concertina::kernels
