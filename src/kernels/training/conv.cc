#include "kernels/training/conv.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "kernels/training/conv_groups.h"
#include "kernels/training/sweep_runner.h"

namespace concertina::kernels {
namespace {

/// Adds up the moments of a channel's parts (Chan et al. 1979).
class Moments {
 public:
  void add(double count, double origin, double sum, double squares) {
    const double mean = origin + sum / count, spread = std::max(squares - sum * sum / count, 0.0);
    const double all = count_ + count, distance = mean - mean_;
    spread_ += spread + distance * distance * count_ * count / all;
    mean_ += distance * count / all;
    count_ = all;
  }
  double mean() const { return mean_; }
  double variance() const { return spread_ / count_; }

 private:
  double count_ = 0, mean_ = 0, spread_ = 0;
};

/// The moments of a group's channels, from those of all chunks.
void find_moments(const std::vector<SweepChunk>& chunks, const Sweep& sweep, int channels, const float* parts,
                  float* mean, float* variance) {
  const int pairs = (channels + kPanelPair - 1) / kPanelPair;
  for (int c = 0; c < channels; ++c) {
    Moments all;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      const float* part =
          parts + (static_cast<std::ptrdiff_t>(i) * pairs + c / kPanelPair) * 3 * kPanelPair + c % kPanelPair;
      const double count = static_cast<double>(chunks[i].images) * chunks[i].rows * sweep.columns;
      all.add(count, part[0], part[kPanelPair], part[2 * kPanelPair]);
    }
    mean[c] = static_cast<float>(all.mean());
    variance[c] = static_cast<float>(all.variance());
  }
}

}  // namespace

void conv_forward(const ConvForwardArgs& args, Workspace& workspace, const ParallelFor& parallel) {
  const GroupedConv grouped(args.conv);
  const TrainingConv& conv = grouped.conv;
  const WindowArgs& w = conv.window;
  const Sweep sweep = forward_sweep(w, grouped.shape());
  const auto chunks = chunks_of(sweep, conv.images, conv.in_channels, *conv.unit,
                                chunk_bytes(sweep, conv.in_channels, *conv.unit));
  const int k = conv.out_channels;
  std::vector<float> moments;
  if (args.mean)
    moments.resize(chunks.size() * static_cast<std::size_t>((k + kPanelPair - 1) / kPanelPair) * 3 *
                   kPanelPair);
  for (int g = 0; g < conv.groups; ++g) {
    const SweepTarget target{args.y,
                             conv.element,
                             w.out_h,
                             w.out_w,
                             std::ptrdiff_t{conv.groups} * k,
                             std::ptrdiff_t{g} * k,
                             args.bias ? args.bias + std::ptrdiff_t{g} * k : nullptr};
    run_sweep({sweep, grouped.input(args.x, g), grouped.filter(args.filter, g), target, *conv.unit}, chunks,
              args.mean ? moments.data() : nullptr, workspace, parallel);
    if (args.mean) find_moments(chunks, sweep, k, moments.data(), args.mean + g * k, args.variance + g * k);
  }
}

void conv_input_gradient(const ConvInputGradientArgs& args, Workspace& workspace,
                         const ParallelFor& parallel) {
  const GroupedConv grouped(args.conv);
  const TrainingConv& conv = grouped.conv;
  for (const Sweep& sweep : gradient_sweeps(conv.window, grouped.shape())) {
    const auto chunks = chunks_of(sweep, conv.images, conv.out_channels, *conv.unit,
                                  chunk_bytes(sweep, conv.out_channels, *conv.unit));
    for (int g = 0; g < conv.groups; ++g) {
      SweepFilter filter = grouped.filter(args.filter, g);
      if (!grouped.depthwise) {
        std::swap(filter.output, filter.input);
        std::swap(filter.outputs, filter.inputs);
      }
      const SweepTarget target{args.dx,
                               conv.element,
                               conv.window.in_h,
                               conv.window.in_w,
                               std::ptrdiff_t{conv.groups} * conv.in_channels,
                               std::ptrdiff_t{g} * conv.in_channels,
                               nullptr};
      run_sweep({sweep, grouped.output(args.dy, g), filter, target, *conv.unit}, chunks, nullptr, workspace,
                parallel);
    }
  }
}

}  // namespace concertina::kernels
