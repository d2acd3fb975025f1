#include "graph/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/cost.h"
#include "testing/net.h"

namespace concertina {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Explain, NamesMakersAndReadersAndWhatIsAtStake) {
  testing::Net net({3, 4, 4});
  const NodeId a = net.conv("a", testing::kImage, 8, {}, 1, false);
  const NodeId b = net.conv("b", a, 8, {}, 1, false);
  const NodeId out = net.conv("out", net.sum("sum", a, b), 5, {}, 1, false);
  const Graph graph = net.build();
  const std::vector<DimensionReport> reports = explain(graph);
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_THAT(reports[0].makers, ElementsAre(a, b));
  EXPECT_THAT(reports[0].readers, ElementsAre(b, out));
  EXPECT_EQ(reports[0].macs, 16 * (3 * 7 + (64 - 1) + 7 * 5));
  EXPECT_EQ(reports[0].parameters, 3 * 7 + (64 - 1) + 7 * 5);
  EXPECT_THAT(reports[1].readers, ElementsAre(a));
  EXPECT_EQ(reports[1].macs, 0);
  EXPECT_THAT(reports[2].readers, IsEmpty());
}

}  // namespace
}  // namespace concertina
