#include "train/distributed/shared_gradients.h"

#include "graph/channel_groups.h"
#include "graph/networks/networks.h"
#include "train/distributed/joint_testing.h"
#include "train/joint/joint_state.h"
#include "train/joint/joint_step.h"

namespace concertina::train {
namespace {

data::ImageSet noise_set(int count) {
  data::ImageSet set{.channels = 3, .height = 8, .width = 8, .pixels = {}, .labels = {}, .classes = {}};
  for (std::size_t i = 0; i < static_cast<std::size_t>(count) * set.image_bytes(); ++i)
    set.pixels.push_back(static_cast<std::uint8_t>(i * 7919 >> 3));
  for (int i = 0; i < count; ++i) set.labels.push_back(i % 4);
  return set;
}

class SharedGradientsTest : public JointTest, public ::testing::WithParamInterface<Way> {
 protected:
  const Graph graph_ = *make_network({.name = "resnet8", .input = {3, 8, 8}, .classes = 4, .width = 0.5});
  const ChannelGroups groups_ = *divide_channels(graph_, 4);
  const std::vector<Subnet> subnets_ = {full_subnet(graph_), uniform_subnet(groups_, 3),
                                        uniform_subnet(groups_, 2), uniform_subnet(groups_, 1)};
  const ImageBatches images_{noise_set(8), {{0.5F, 0.5F, 0.5F}, {0.2F, 0.2F, 0.2F}}, torch::kCPU};
  const std::vector<std::int64_t> indices_ = {0, 1, 2, 3, 4, 5, 6, 7};
  const Augmentation augmentation_{.pad = 1, .flip = true};

  /// Network, state and gradients of two steps of joint training, whose second draws other sub-nets.
  struct Trained {
    Supernet net;
    JointState state;
    std::vector<double> losses;
  };

  Trained train(const ImageBatches& images, const Processes& processes,
                recipe::Distillation distillation) const {
    const Supernet net = *Supernet::make(graph_, initial_tensors(graph_, 3), {});
    Trained trained{net, JointState(net, subnets_, {.private_norm = true}), {}};
    const SharedGradients gradients(processes, graph_, trained.state.trained());
    for (const std::vector<std::size_t>& drawn : {std::vector<std::size_t>{0, 3, 1}, {0, 3, 2}}) {
      for (const auto& [name, tensor] : trained.state.trained())
        torch::Tensor(tensor).mutable_grad() = torch::Tensor();
      trained.losses =
          train_together(net, trained.state.members(drawn, 0.5), images.augmented(indices_, augmentation_, 7),
                         {distillation, 0.3, 0.1}, gradients)
              .losses;
      trained.state.remember(drawn, trained.losses);
    }
    return trained;
  }
};

INSTANTIATE_TEST_SUITE_P(Ways, SharedGradientsTest, ::testing::Values(Way::shared_memory, Way::sockets));

TEST_P(SharedGradientsTest, OfASandwichAreThoseOfTheWholeBatch) {
  const auto processes = meet(2, GetParam());
  if (!processes) return;
  for (const recipe::Distillation distillation :
       {recipe::Distillation::in_place, recipe::Distillation::growing, recipe::Distillation::mutual}) {
    const Trained alone = train(images_, {}, distillation),
                  joint = train(images_.shared_by(*processes), *processes, distillation);
    int norms = 0;
    for (const auto& [name, tensor] : joint.state.trained()) {
      const torch::Tensor& wanted = alone.state.trained().at(name).grad();
      // Of a sub-net that was not drawn.
      EXPECT_EQ(tensor.grad().defined(), wanted.defined()) << name;
      if (!wanted.defined()) continue;
      norms += name.starts_with("own.") ? 1 : 0;
      // The smallest are sums that almost cancel.
      EXPECT_LT((tensor.grad() - wanted).norm().item<double>(), 1e-4 * (wanted.norm().item<double>() + 0.1))
          << name;
    }
    EXPECT_GT(norms, 0);
    for (std::size_t i = 0; i < alone.losses.size(); ++i) EXPECT_NEAR(joint.losses[i], alone.losses[i], 1e-5);
    for (std::size_t i = 0; i < subnets_.size(); ++i)
      EXPECT_NEAR(joint.state.losses()[i], alone.state.losses()[i], 1e-6);
  }
}

TEST_P(SharedGradientsTest, RepeatToTheLastBit) {
  const auto processes = meet(3, GetParam());
  if (!processes) return;
  const ImageBatches shared = images_.shared_by(*processes);
  const Trained once = train(shared, *processes, recipe::Distillation::growing),
                again = train(shared, *processes, recipe::Distillation::growing);
  for (const auto& [name, tensor] : once.state.trained()) {
    if (!tensor.grad().defined()) continue;
    EXPECT_TRUE(torch::equal(tensor.grad(), again.state.trained().at(name).grad())) << name;
    torch::Tensor of_first = tensor.grad().clone();
    processes->take_from_first(of_first);
    EXPECT_TRUE(torch::equal(tensor.grad(), of_first)) << name;
  }
}

}  // namespace
}  // namespace concertina::train
