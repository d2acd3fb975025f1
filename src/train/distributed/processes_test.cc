#include "train/distributed/processes.h"

#include <gmock/gmock.h>

#include <numeric>

#include "train/distributed/joint_testing.h"

namespace concertina::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ProcessesTest : public JointTest, public ::testing::WithParamInterface<Way> {};
INSTANTIATE_TEST_SUITE_P(Ways, ProcessesTest, ::testing::Values(Way::shared_memory, Way::sockets));

TEST(Processes, AloneChangeNothing) {
  const Processes alone;
  const torch::Tensor tensor = torch::tensor({1.0F, 2.0F});
  alone.sum(tensor);
  alone.take_from_first(tensor);
  EXPECT_TRUE(torch::equal(tensor, torch::tensor({1.0F, 2.0F})));
  EXPECT_EQ(alone.from_first("bytes"), "bytes");
  EXPECT_EQ(alone.agree(Error{"bad"}).error().message, "bad");
  const std::vector<std::int64_t> indices = {3, 1, 2};
  EXPECT_EQ(alone.share(indices).size(), 3u);
  EXPECT_TRUE(alone.alone() && alone.first());
}

TEST_P(ProcessesTest, DoTogether) {
  const auto processes = meet(3, GetParam());
  if (!processes) return;
  const int rank = processes->rank();
  EXPECT_EQ(processes->count(), 3);
  std::vector<std::int64_t> indices(8);
  std::iota(indices.begin(), indices.end(), 0);
  const std::span<const std::int64_t> share = processes->share(indices);
  EXPECT_EQ(share.size(), rank == 0 ? 2u : 3u);
  EXPECT_EQ(share.front(), 8 * rank / 3);

  const torch::Tensor tensor = torch::full({2, 3}, rank + 1.0);
  processes->sum(tensor);
  EXPECT_TRUE(torch::equal(tensor, torch::full({2, 3}, 6.0)));
  const torch::Tensor turned = torch::full({2, 3}, rank + 1).t();  // not contiguous
  processes->sum(turned);
  EXPECT_TRUE(torch::equal(turned, torch::full({3, 2}, 6)));
  double values[] = {rank + 1.0, 3};
  processes->mean(values);
  EXPECT_THAT(values, ElementsAre(2, 3));

  const torch::Tensor leaf =
      torch::full({2, 2, 3, 3}, rank + 5.0).contiguous(torch::MemoryFormat::ChannelsLast).requires_grad_();
  processes->take_from_first(leaf);
  EXPECT_TRUE(torch::equal(leaf, torch::full({2, 2, 3, 3}, 5.0)));
  EXPECT_EQ(processes->from_first(std::string(static_cast<std::size_t>(rank), 'x')), "");
  EXPECT_EQ(processes->from_first("from " + std::to_string(rank)), "from 0");

  EXPECT_TRUE(processes->agree({}));
  const Status failed = processes->agree(rank == 0 ? Status() : Error{"bad " + std::to_string(rank)});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "bad 1");
}

TEST_P(ProcessesTest, OnlyTheFirstTouchesFiles) {
  const auto processes = meet(2, GetParam());
  if (!processes) return;
  const testing::TestFolder mine;  // the other process has another one
  int calls = 0;
  EXPECT_TRUE(processes->first_does([&]() -> Status {
    ++calls;
    return write_file(mine / "file", std::string("a\0b", 3));
  }));
  EXPECT_EQ(calls, processes->first() ? 1 : 0);
  EXPECT_TRUE(processes->exists(mine / "file"));
  EXPECT_FALSE(processes->exists(mine / "other"));
  EXPECT_EQ(*processes->read_file(mine / "file"), std::string("a\0b", 3));
  EXPECT_THAT(processes->read_file(mine / "none").error().message, HasSubstr("none"));
  EXPECT_EQ(processes->first_does([] { return Status(Error{"full"}); }).error().message, "full");
}

TEST_P(ProcessesTest, NoticeThatOneIsGone) {
  const auto processes = meet(2, GetParam());
  if (!processes) return;
  const torch::Tensor tensor = torch::ones({3});
  processes->sum(tensor);
  if (!processes->first()) std::_Exit(0);
  EXPECT_THROW(processes->sum(tensor), LostProcess);
  EXPECT_THROW((void)processes->from_first("x"), LostProcess);
}

}  // namespace
}  // namespace concertina::train
