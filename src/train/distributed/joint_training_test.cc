// Training and evaluation by two processes against one.

#include <gmock/gmock.h>

#include <numeric>

#include "graph/networks/networks.h"
#include "graph/random_weights.h"
#include "testing/image_files.h"
#include "testing/net.h"
#include "train/distributed/joint_testing.h"
#include "train/objective.h"
#include "train/supernet/evaluation.h"
#include "train/supernet/fake_int8.h"
#include "train/training_loop.h"

namespace concertina::train {
namespace {

constexpr Shape kTiny{3, 8, 8};

ImageBatches noisy_images(int count, bool with_maps = false) {
  data::ImageSet set{.channels = 3, .height = 8, .width = 8, .pixels = {}, .labels = {}, .classes = {}};
  for (std::size_t i = 0; i < static_cast<std::size_t>(count) * set.image_bytes(); ++i)
    set.pixels.push_back(static_cast<std::uint8_t>(i * 7919 >> 3));
  for (int i = 0; i < count; ++i) set.labels.push_back(i % 4);
  // Images without any label, with few and with many.
  for (int i = 0; with_maps && i < count * 64; ++i)
    set.maps.push_back(i / 64 % 3 == 0 || i % (2 + i / 64) != 0 ? 255 : static_cast<std::uint8_t>(i % 4));
  return {set, measure_normalization(set), torch::kCPU};
}

std::vector<std::int64_t> first_indices(std::size_t count) {
  std::vector<std::int64_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

Graph small_graph() {
  testing::Net net(kTiny);
  const NodeId first = net.conv_bn_relu("first", testing::kImage, 8, testing::kThree);
  net.classify(net.conv_bn_relu("second", first, 8, testing::kThree), 4);
  return net.build();
}

class JointTraining : public JointTest {
 protected:
  /// 40 steps, after which training is killed, and 60 more.
  Result<Tensors> train(const std::filesystem::path& folder, const Processes& processes) const {
    Tensors weights;
    for (const std::int64_t steps : {40, 100}) {
      const Supernet net = *Supernet::make(graph_, initial_tensors(graph_, 3), {});
      recipe::Recipe::Training options;
      options.learning_rate = 0.02;
      std::vector<ScheduledOptimizer> optimizers = make_optimizers(graph_, net.weights(), options, processes);
      const TrainingLoop loop{.task = "test",
                              .checkpoint = folder / "checkpoint.pt",
                              .log = folder / "log.jsonl",
                              .steps = steps,
                              .batch = 8,
                              .augmentation = {.pad = 1, .flip = true},
                              .seed = 3,
                              .processes = processes,
                              .graph = &graph_};
      const auto step = [&](const Batch& batch,
                            const TrainingLoop::Moment& moment) -> TrainingLoop::StepResult {
        const torch::Tensor loss = loss_of(forward(net, batch, full_subnet(graph_)), targets_of(batch), 0.1);
        moment.gradients.backward(loss);
        return {loss.item<double>(), {batch.size(), 1.0}};
      };
      SilentProgress progress;
      const auto spent =
          loop.run(images_.shared_by(processes), indices_, net.weights(), optimizers, step, progress);
      if (!spent) return spent.error();
      EXPECT_EQ(*spent, (search::Spending{steps * 8, static_cast<double>(steps)}));
      weights = net.weights();
    }
    return weights;
  }

  const Graph graph_ = small_graph();
  const ImageBatches images_ = noisy_images(200);
  const std::vector<std::int64_t> indices_ = first_indices(200);
};

TEST_F(JointTraining, IsThatOfOneProcess) {
  const auto processes = meet(2);
  if (!processes) return;
  const testing::TestFolder alone, together, again;
  const Tensors wanted = *train(alone, {}), got = *train(together, *processes),
                repeated = *train(again, *processes);
  for (const auto& [name, tensor] : got) {
    EXPECT_LT((tensor - wanted.at(name)).norm().item<double>(),
              1e-3 * (wanted.at(name).norm().item<double>() + 0.1))
        << name;
    EXPECT_TRUE(torch::equal(tensor, repeated.at(name))) << name;
  }
  EXPECT_EQ(std::filesystem::exists(together / "checkpoint.pt"), processes->first());
  EXPECT_EQ(std::filesystem::exists(together / "log.jsonl"), processes->first());
}

class JointEvaluation : public JointTest {};

// Also where the last batch has fewer images than there are processes, and their parts are not alike.
TEST_F(JointEvaluation, IsThatOfOneProcess) {
  const auto processes = meet(2);
  if (!processes) return;
  const Graph graph = *make_network({.name = "resnet8", .input = kTiny, .classes = 4, .width = 0.25});
  const Supernet net = *Supernet::make(graph, to_tensors(random_weights(graph), torch::kCPU), {});
  const ImageBatches images = noisy_images(31), shared = images.shared_by(*processes);
  const Subnet full = full_subnet(graph);
  for (const std::size_t count : {1, 2, 15, 31}) {
    const std::vector<std::int64_t> indices = first_indices(count);
    const Tensors wanted = estimate_statistics(net, full, {}, images, indices, 5),
                  got = estimate_statistics(net, full, {}, shared, indices, 5);
    for (const auto& [name, tensor] : wanted) EXPECT_LT(difference(got.at(name), tensor), 1e-4) << name;
    const search::Evaluation alone = evaluate(net, full, wanted, images, indices),
                             joint = evaluate(net, full, wanted, shared, indices);
    EXPECT_NEAR(joint.loss, alone.loss, 1e-5);
    EXPECT_EQ(joint.accuracy, alone.accuracy);
    const search::Evaluation by_batch = evaluate_in_batches(net, full, images, indices);
    EXPECT_NEAR(evaluate_in_batches(net, full, shared, indices).loss, by_batch.loss, 1e-4);
  }
}

TEST_F(JointEvaluation, RoundsByTheRangeOfAllParts) {
  const auto processes = meet(2);
  if (!processes) return;
  torch::manual_seed(1);
  const torch::Tensor whole = torch::randn({6, 5}) * torch::arange(1, 7).view({6, 1});
  const auto part = [&](const torch::Tensor& x) { return x.narrow(0, 3 * processes->rank(), 3); };
  EXPECT_TRUE(torch::equal(fake_int8_input(part(whole), *processes), part(fake_int8_input(whole, {}))));
}

TEST_F(JointEvaluation, AllKnowOfAnImageThatOneCouldNotRead) {
  const auto processes = meet(2);
  if (!processes) return;
  const testing::TestFolder folder;
  std::vector<std::filesystem::path> files;
  for (const char* name : {"0.png", "1.png"})
    files.push_back(folder.write(name, testing::to_png(testing::smooth_image(8, 8, 3))));
  folder.write("1.png", "no image");
  const ImageBatches images(pixels_on_disk({.files = files, .labels = {}, .classes = {}}, false,
                                           {.size = 8, .resize = 8}, 1, torch::kCPU),
                            {0, 1}, {{0.5F, 0.5F, 0.5F}, {0.2F, 0.2F, 0.2F}}, torch::kCPU);
  const ImageBatches shared = images.shared_by(*processes);
  EXPECT_TRUE(shared.status());
  EXPECT_EQ(shared.augmented(first_indices(2), {}, 1).size(), 2);
  EXPECT_EQ(images.status().ok(), processes->first());
  const Status known = shared.status();
  ASSERT_FALSE(known);
  EXPECT_THAT(known.error().message, ::testing::HasSubstr("1.png' is neither"));
}

TEST_F(JointEvaluation, OfLabelMapsCountsPixels) {
  const auto processes = meet(2);
  if (!processes) return;
  testing::Net builder(kTiny);
  builder.conv("score", builder.conv_bn_relu("conv", testing::kImage, 8, testing::kThree), 4);
  const Graph graph = builder.build();
  const Supernet net = *Supernet::make(graph, to_tensors(random_weights(graph), torch::kCPU), {});
  const ImageBatches images = noisy_images(9, true), shared = images.shared_by(*processes);
  const Subnet full = full_subnet(graph);
  const auto loss = [&](const Batch& batch) {
    return loss_of(forward(net, batch, full), targets_of(batch), 0.1);
  };
  for (const std::vector<std::int64_t>& indices :
       {std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7}, {0, 3, 1, 2}, {0, 3, 6, 0}}) {
    double mean[] = {loss(shared.batch(indices)).item<double>()};
    processes->mean(mean);
    EXPECT_NEAR(mean[0], loss(images.batch(indices)).item<double>(), 1e-5);
  }
  const std::vector<std::int64_t> all = first_indices(9);
  const search::Evaluation alone = evaluate_in_batches(net, full, images, all),
                           joint = evaluate_in_batches(net, full, shared, all);
  EXPECT_NEAR(joint.loss, alone.loss, 1e-5);
  EXPECT_NEAR(joint.accuracy, alone.accuracy, 1e-9);
}

}  // namespace
}  // namespace concertina::train
