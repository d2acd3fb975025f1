#include "train/supernet/joined_norm.h"

#include "train/distributed/joint_testing.h"

namespace concertina::train {
namespace {

struct Differentiated {
  torch::Tensor y, mean, variance, of_x, of_scale, of_shift;
};

template <typename Norm>
Differentiated differentiate(const Norm& norm, const torch::Tensor& x, const torch::Tensor& dy) {
  const torch::Tensor input = x.detach().clone().requires_grad_();
  const torch::Tensor scale = torch::linspace(0.5, 1.5, x.size(1)).requires_grad_();
  const torch::Tensor shift = torch::linspace(-0.5, 0.5, x.size(1)).requires_grad_();
  const BatchNormOutput output = norm(input, scale, shift);
  output.y.backward(dy);
  return {output.y.detach(), output.mean, output.variance, input.grad(), scale.grad(), shift.grad()};
}

class JoinedNormTest : public JointTest {
 protected:
  /// Parts of 3, 4 and 4 images against all 11 in one process, far from zero as in BatchNormTest.
  void expect_whole(const Processes& processes, const std::vector<std::int64_t>& shape, bool relu,
                    bool by_kernels) {
    torch::manual_seed(1);
    const torch::Tensor all = torch::randn(shape) + 30, dy = torch::randn(shape);
    const auto parts = [&](const torch::Tensor& tensor) { return tensor.narrow(0, begin_, count_); };
    std::vector<std::int64_t> indices(static_cast<std::size_t>(shape[0]));
    for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::int64_t>(i);
    begin_ = processes.share(indices).front();
    count_ = static_cast<std::int64_t>(processes.share(indices).size());
    const Differentiated whole =
        differentiate([&](const auto& x, const auto& scale,
                          const auto& shift) { return by_our_kernels(x, scale, shift, relu, {}); },
                      all, dy);
    const Differentiated part = differentiate(
        [&](const auto& x, const auto& scale, const auto& shift) {
          return by_kernels ? by_our_kernels(x, scale, shift, relu, processes)
                            : joined_batch_norm(x, scale, shift, 1e-5, relu, processes);
        },
        parts(all), parts(dy));
    EXPECT_LT(difference(part.y, parts(whole.y)), 1e-5);
    EXPECT_LT(difference(part.mean, whole.mean), 1e-6);
    EXPECT_LT(difference(part.variance, whole.variance), 1e-5);
    EXPECT_LT(difference(part.of_x, parts(whole.of_x)), 1e-4);
    // These are of this part only; the gradients of all weights are added up later.
    processes.sum(part.of_scale);
    processes.sum(part.of_shift);
    EXPECT_LT(difference(part.of_scale, whole.of_scale), 1e-4);
    EXPECT_LT(difference(part.of_shift, whole.of_shift), 1e-4);
  }

  static BatchNormOutput by_our_kernels(const torch::Tensor& x, const torch::Tensor& scale,
                                        const torch::Tensor& shift, bool relu, const Processes& processes) {
    return batch_norm({.x = x, .scale = scale, .shift = shift, .epsilon = 1e-5, .relu = relu},
                      std::make_shared<kernels::Workspace>(), processes);
  }

  std::int64_t begin_ = 0, count_ = 0;
};

TEST_F(JoinedNormTest, IsThatOfTheWholeBatch) {
  const auto processes = meet(3);
  if (!processes) return;
  for (const bool by_kernels : {true, false}) {
    for (const bool relu : {true, false}) {
      expect_whole(*processes, {11, 6, 5, 3}, relu, by_kernels);
      expect_whole(*processes, {11, 9}, relu, by_kernels);
    }
  }
}

}  // namespace
}  // namespace concertina::train
