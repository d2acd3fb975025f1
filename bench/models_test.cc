#include "models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "graph/cost.h"

namespace concertina::bench {
namespace {

using ::testing::HasSubstr;

TEST(Models, HaveNestedSubnetsFromLargeToSmall) {
  for (const Case& c : all_cases()) {
    if (c.size > 32) continue;  // the large ones differ in size only, and one of them takes half a gigabyte
    const auto model = make_bench_model(c);
    ASSERT_TRUE(model) << c.network << ": " << model.error().message;
    ASSERT_EQ(model->subnets.size(), model->file.subnets.size());
    const Graph& graph = model->file.network.graph;
    std::int64_t before = std::numeric_limits<std::int64_t>::max();
    for (std::size_t i = 0; i < model->subnets.size(); ++i) {
      EXPECT_EQ(model->subnets[i].subnet, model->file.subnets[i].subnet);
      const std::int64_t macs = cost(graph, model->subnets[i].subnet).macs;
      EXPECT_LT(macs, before);
      before = macs;
    }
    EXPECT_EQ(model->subnets[2].name, c.chain.empty() ? "uneven" : "2");
    EXPECT_FALSE(c.batches.empty());
  }
}

TEST(Models, AreReadFromFiles) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "bench_model.onnx";
  const auto model = make_bench_model({.network = "resnet8", .size = 32, .classes = 10, .batches = {1}});
  ASSERT_TRUE(model) << model.error().message;
  ASSERT_TRUE(onnx::write_model(path, model->file));
  const auto read = read_bench_model(path.string());
  std::filesystem::remove(path);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->subnets.size(), model->subnets.size());
  EXPECT_EQ(read->subnets[4].name, "4");
  EXPECT_EQ(read->subnets[4].subnet, model->subnets[4].subnet);
}

TEST(Models, OfUnknownNetworksAreRefused) {
  EXPECT_THAT(make_bench_model({.network = "abacus", .batches = {}}).error().message, HasSubstr("abacus"));
}

}  // namespace
}  // namespace concertina::bench
