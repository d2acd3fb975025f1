#include "base/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace concertina {
namespace {

TEST(NearestName, CorrectsATypo) {
  const std::vector<std::string> names = {"search.groups", "search.images", "select.subnets"};
  EXPECT_EQ(nearest_name("search.group", names), "search.groups");
  EXPECT_EQ(nearest_name("serach.imagse", names), "search.images");
  EXPECT_EQ(nearest_name("subnets", names), "select.subnets");
}

}  // namespace
}  // namespace concertina
