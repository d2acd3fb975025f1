#include "graph/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/cost.h"

namespace concertina {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Explain, NamesMakersAndReadersAndWhatIsAtStake) {
  op::Input input;
  input.shape = {3, 4, 4};
  const auto conv = [](int in, int out) {
    op::Conv op;
    op.in_channels = in;
    op.out_channels = out;
    return op;
  };
  GraphBuilder net;
  const NodeId x = net.add("x", input);
  const NodeId a = net.add("a", conv(3, 8), {x});
  const NodeId b = net.add("b", conv(8, 8), {a});
  const NodeId sum = net.add("sum", op::Add{}, {a, b});
  const NodeId out = net.add("out", conv(8, 5), {sum});
  const Graph graph = *std::move(net).build();
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
