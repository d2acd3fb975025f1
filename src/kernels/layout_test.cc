#include "kernels/layout.h"

#include <gtest/gtest.h>

#include "kernels/testing/targets.h"

namespace concertina::kernels {
namespace {

TEST(Target, IsTheBestUnlessLimited) {
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

TEST(Target, StaysTheBestWhereTheMachineLacksTheNamed) {
  EXPECT_FALSE(limit_target("ABACUS"));
  EXPECT_EQ(target_name(), target_names().front());
}

}  // namespace
}  // namespace concertina::kernels
