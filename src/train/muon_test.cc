#include "train/muon.h"

#include <gtest/gtest.h>

#include "train/distributed/joint_testing.h"
#include "train/tensors.h"

namespace concertina::train {
namespace {

TEST(Orthogonalised, SingularValuesAreAboutOne) {
  torch::manual_seed(1);
  for (const auto& [rows, columns] : {std::pair{16, 27}, {40, 9}, {12, 12}, {1, 30}, {64, 576}}) {
    const torch::Tensor matrix = 1e-3 * torch::randn({rows, columns});
    const torch::Tensor result = orthogonalised(matrix);
    ASSERT_EQ(result.sizes(), matrix.sizes());
    const torch::Tensor squares = at::linalg_eigvalsh(result.t().mm(result)).flip(0);
    const int rank = std::min(rows, columns);
    EXPECT_LT(squares[0].item<double>(), 1.3 * 1.3) << rows << " x " << columns;
    EXPECT_GT((result * matrix).sum().item<double>(), 0) << "the direction stays";
    // A square matrix has singular values next to 0, which stay small.
    if (rows == columns) continue;
    EXPECT_GT(squares[rank - 1].item<double>(), 0.5 * 0.5) << rows << " x " << columns;
  }
}

TEST(Orthogonalised, ZerosStayZeros) {
  EXPECT_EQ(orthogonalised(torch::zeros({3, 5})).abs().max().item<double>(), 0);
}

torch::optim::SGDOptions options() {
  return torch::optim::SGDOptions(0.1).momentum(0.5).weight_decay(0.2);
}

// One output of one input: the orthogonalised momentum is its sign, of about size 1.
TEST(Muon, StepsByTheMomentumsDirectionAndDecaysApart) {
  const torch::Tensor one = orthogonalised(torch::ones({1, 1}));
  const double size = one.item<double>();
  torch::Tensor weight = torch::full({1, 1, 1, 1}, 2.0).requires_grad_();
  Muon muon({weight}, options());
  double wanted = 2, momentum = 0;
  for (const double gradient : {3.0, -1.0, -4.0}) {
    weight.mutable_grad() = torch::full({1, 1, 1, 1}, gradient);
    muon.step();
    momentum = 0.5 * momentum + gradient;
    const double ahead = gradient + 0.5 * momentum;
    wanted = wanted * (1 - 0.1 * 0.2) - 0.1 * (ahead > 0 ? size : -size);
    EXPECT_NEAR(weight.item<double>(), wanted, 1e-5);
  }
}

TEST(Muon, GoesOnFromWhatWasSaved) {
  torch::manual_seed(2);
  const torch::Tensor start = torch::randn({4, 3, 3, 3}), first = torch::randn({4, 3, 3, 3}),
                      second = torch::randn({4, 3, 3, 3});
  const auto step = [](Muon& muon, torch::Tensor& weight, const torch::Tensor& gradient) {
    weight.mutable_grad() = gradient;
    muon.step();
  };
  torch::Tensor through = start.clone().requires_grad_();
  Muon muon({through}, options());
  step(muon, through, first);
  torch::Tensor resumed = through.detach().clone().requires_grad_();
  Muon again({resumed}, options());
  load_optimizer(again, save_optimizer(muon));
  step(muon, through, second);
  step(again, resumed, second);
  EXPECT_TRUE(torch::equal(through, resumed));
  EXPECT_FALSE(torch::equal(through, start));
}

TEST(Muon, LeavesWhatHasNoGradient) {
  torch::Tensor weight = torch::ones({2, 2, 1, 1}).requires_grad_();
  Muon muon({weight}, options());
  muon.step();
  EXPECT_TRUE(torch::equal(weight, torch::ones({2, 2, 1, 1})));
}

class SharedMuon : public JointTest {
 protected:
  /// Filters, one of which has no gradient, after a step.
  static std::vector<torch::Tensor> stepped(const Processes& processes) {
    torch::manual_seed(3);
    std::vector<torch::Tensor> weights;
    for (const std::int64_t channels : {3, 16, 4, 8, 2}) {
      weights.push_back(torch::randn({channels, 4, 3, 3}).requires_grad_());
      if (channels != 4) weights.back().mutable_grad() = torch::randn({channels, 4, 3, 3});
    }
    Muon(weights, options(), processes).step();
    return weights;
  }
};

TEST_F(SharedMuon, IsToTheLastBitThatOfOneProcess) {
  const auto processes = meet(2);
  if (!processes) return;
  const std::vector<torch::Tensor> alone = stepped({}), shared = stepped(*processes);
  for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_TRUE(torch::equal(alone[i], shared[i])) << i;
}

}  // namespace
}  // namespace concertina::train
