#include "train/supernet/conv_times.h"

#include <algorithm>

#include "base/statistics.h"
#include "train/supernet/batch_norm.h"
#include "train/supernet/conv.h"
#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

/// What it is at half of its channels, or groups.
op::Conv halved(const ConvKind& kind) {
  const auto half = [](int count) { return std::max(1, count / 2); };
  const op::Conv& conv = kind.conv;
  op::Conv result = conv;
  if (conv.groups > 1) {
    const int groups = half(conv.groups);
    result.resize({.in = conv.in_channels / conv.groups * groups,
                   .out = conv.out_channels / conv.groups * groups,
                   .input_ranges = {},
                   .output_ranges = {}});
  } else {
    result.resize({.in = kind.first ? conv.in_channels : half(conv.in_channels),
                   .out = half(conv.out_channels),
                   .input_ranges = {},
                   .output_ranges = {}});
  }
  return result;
}

/// Of which no value is special.
torch::Tensor some_values(at::IntArrayRef sizes) {
  return channels_last(torch::arange(c10::multiply_integers(sizes), torch::kFloat).sin().view(sizes));
}

/// Forward and backward passes of a convolution, whose weights are the first of a full array.
class ConvPasses {
 public:
  ConvPasses(const ConvKind& kind, const op::Conv& active, torch::Dtype dtype, int images)
      : conv_(active), normalized_(kind.normalized) {
    const Window& w = active.window;
    x_ = channels_last(
             some_values({images, active.in_channels, kind.input.height, kind.input.width}).to(dtype))
             .requires_grad_(!kind.first);
    weight_ = some_values(
                  {kind.conv.out_channels, kind.conv.in_channels / kind.conv.groups, w.kernel_h, w.kernel_w})
                  .requires_grad_();
    if (active.bias) bias_ = torch::zeros({active.out_channels}).requires_grad_();
    const torch::NoGradGuard no_grad;
    dy_ = channels_last(some_values(libtorchs().sizes()).to(dtype));
  }

  void own() {
    const ConvPrefix prefix{.weight = weight_, .outputs = conv_.out_channels, .bias = bias_};
    go_back(conv(x_, prefix, conv_, conv_.groups, normalized_, memory_).y);
  }

  void libtorch() {
    const torch::Tensor y = libtorchs();
    if (normalized_) find_moments(y.detach());
    go_back(y);
  }

 private:
  torch::Tensor libtorchs() const {
    const torch::Tensor weight =
        weight_.narrow(0, 0, conv_.out_channels).narrow(1, 0, conv_.in_channels / conv_.groups);
    return plain_conv(x_, weight.to(x_.scalar_type()), bias_.defined() ? bias_.to(x_.scalar_type()) : bias_,
                      conv_.groups, conv_);
  }

  void go_back(const torch::Tensor& y) {
    y.backward(dy_);
    x_.mutable_grad() = torch::Tensor();
  }

  op::Conv conv_;
  bool normalized_;
  torch::Tensor x_, weight_, bias_, dy_;
  MapMemory memory_ = std::make_shared<kernels::Workspace>();
};

/// Of the rounds so far.
struct Samples {
  std::vector<double> own, libtorch;

  ConvTimes medians() const { return {.own_ms = quantile(own, 0.5), .libtorch_ms = quantile(libtorch, 0.5)}; }
};

template <typename Call>
double time_of(const Clock& clock, const Call& call) {
  const Time begin = clock.now();
  call();
  return to_ms(clock.now() - begin);
}

void add_round(ConvPasses& passes, const Clock& clock, Samples& samples) {
  samples.own.push_back(time_of(clock, [&] { passes.own(); }));
  samples.libtorch.push_back(time_of(clock, [&] { passes.libtorch(); }));
}

int images_measured(const ConvKind& kind, int images) {
  constexpr double kMostMacs = 2e8;
  constexpr int kLeastImages = 4;
  const Shape shape[] = {kind.input};
  const double macs = static_cast<double>(kind.conv.macs(kind.input, *kind.conv.output_shape(shape)));
  return std::min(images, std::max(kLeastImages, static_cast<int>(kMostMacs / macs)));
}

}  // namespace

bool libtorch_is_faster(const KindTimes& times) {
  // Of the passes that a run makes by default, two are of the full network and three of narrower ones.
  constexpr double kHalfPasses = 1.5;
  constexpr double kClearly = 0.93;
  const double own = times.full.own_ms + kHalfPasses * times.half.own_ms;
  return times.full.libtorch_ms + kHalfPasses * times.half.libtorch_ms < kClearly * own;
}

KindTimes measure_kind(const ConvKind& kind, const ConvPace& pace, const Clock& clock) {
  constexpr std::size_t kLeastRounds = 3, kMostRounds = 9;
  const int images = images_measured(kind, pace.images);
  ConvPasses full(kind, kind.conv, pace.dtype, images), half(kind, halved(kind), pace.dtype, images);
  Samples of_full, of_half;
  add_round(full, clock, of_full);
  add_round(half, clock, of_half);
  of_full = of_half = {};  // the first round made memory and LibTorch's plans
  const Time begin = clock.now();
  while (of_full.own.size() < kLeastRounds ||
         (of_full.own.size() < kMostRounds && to_ms(clock.now() - begin) < pace.most_ms)) {
    add_round(full, clock, of_full);
    add_round(half, clock, of_half);
  }
  return {.full = of_full.medians(), .half = of_half.medians()};
}

}  // namespace concertina::train
