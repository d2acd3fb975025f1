#include "runtime/passes.h"

#include <gtest/gtest.h>

#include "testing/models.h"
#include "testing/net.h"

namespace concertina::runtime {
namespace {

constexpr std::int64_t kMega = 1'000'000;

TEST(PerImagePasses, AreThoseOfLargeMapsAndSmallWeights) {
  EXPECT_EQ(per_image_passes({}), 0);
  const Traffic early{.maps = 4 * kMega, .weights = 10'000}, late{.maps = 500'000, .weights = kMega};
  EXPECT_EQ(per_image_passes(std::vector<Traffic>{early, early, late, late}), 2);
  EXPECT_EQ(per_image_passes(std::vector<Traffic>{late, late}), 0);
  EXPECT_EQ(per_image_passes(std::vector<Traffic>{{.maps = 100'000}, {.maps = 200'000}}), 0)
      << "small maps stay";
}

TEST(PerImagePasses, OneCostlyPassMayStandBeforeCheapOnes) {
  const Traffic early{.maps = 4 * kMega, .weights = 10'000}, costly{.maps = 500'000, .weights = 3 * kMega};
  EXPECT_EQ(per_image_passes(std::vector<Traffic>{early, costly, early, costly}), 3);
  EXPECT_EQ(per_image_passes(std::vector<Traffic>{early, costly, costly, costly}), 1);
}

/// Large maps, a branch that is alive across the first steps' end, a small map with many weights.
Graph large_then_small() {
  using testing::kImage, testing::kOne, testing::kThree;
  testing::Net net({3, 96, 96});
  const NodeId a = net.conv("a", kImage, 12, kThree);
  const NodeId b = net.conv("b", a, 12, kThree);
  const NodeId sum = net.sum("sum", b, a);
  const NodeId small = net.max_pool("small", sum, Window::square(6, 6, 0));
  const NodeId c = net.conv("c", small, 160, kThree);
  const NodeId d = net.conv("d", c, 160, kThree);
  const NodeId shortcut =
      net.conv("shortcut", net.max_pool("again", sum, Window::square(6, 6, 0)), 160, kOne);
  const NodeId last = net.sum("last", d, shortcut);
  net.classify(last, 7);
  return net.build();
}

TEST(PerImageSteps, GiveWhatSingleImagesGive) {
  const Graph graph = large_then_small();
  const onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 3));
  const auto model = testing::load(file);
  const Plan& plan = model->impl().plans[0];
  ASSERT_GT(plan.per_image_steps, 0);
  ASSERT_LT(plan.per_image_steps, static_cast<int>(plan.steps.size()));
  EXPECT_FALSE(plan.carried.empty());
  constexpr int kBatch = 3;
  const auto images = testing::random_images(*model, kBatch);
  for (const int threads : {1, 2}) {
    auto session = Session::make(model, {.threads = threads, .max_batch = kBatch});
    ASSERT_TRUE(session) << session.error().message;
    for (int subnet = 0; subnet < 3; ++subnet) {
      const auto together = testing::run(*session, images, kBatch, subnet);
      testing::Floats each;
      for (int i = 0; i < kBatch; ++i) {
        const auto begin = images.begin() + i * static_cast<std::ptrdiff_t>(model->input_size());
        const testing::Floats one(begin, begin + static_cast<std::ptrdiff_t>(model->input_size()));
        const auto logits = testing::run(*session, one, 1, subnet);
        each.insert(each.end(), logits.begin(), logits.end());
      }
      EXPECT_EQ(together, each) << subnet;
    }
  }
}

TEST(PerImageSteps, CountAsStepsOfARun) {
  const Graph graph = large_then_small();
  const auto model = testing::load(testing::model_file(graph, testing::nested_subnets(graph, 2)));
  constexpr int kBatch = 2;
  const auto images = testing::random_images(*model, kBatch);
  auto session = Session::make(model, {.max_batch = kBatch});
  ASSERT_TRUE(session) << session.error().message;
  const auto wanted = testing::run(*session, images, kBatch, 0);
  testing::Floats logits(wanted.size());
  ASSERT_TRUE(session->begin(images, kBatch, 0, logits));
  int steps = 1;
  while (!session->advance()) ++steps;
  EXPECT_EQ(logits, wanted);
  EXPECT_EQ(steps, session->steps(0) + model->impl().plans[0].per_image_steps);
  const auto profile = session->profile(images, kBatch, 0, 2);
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(static_cast<int>(profile->size()), session->steps(0));
}

}  // namespace
}  // namespace concertina::runtime
