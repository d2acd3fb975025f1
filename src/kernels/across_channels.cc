#include "kernels/across_channels.h"

#include <algorithm>
#include <cmath>

#include "kernels/parallel.h"

namespace concertina::kernels {

void reduce_channels(const ReduceChannelsArgs& args, ThreadPool& pool) {
  for_pixels(args, args.channels, pool, [&](const float* x, float* out) {
    if (args.reduction == ChannelReduction::largest) {
      *out = *std::max_element(x, x + args.channels);
      return;
    }
    double sum = 0;
    for (int c = 0; c < args.channels; ++c) sum += x[c];
    *out = static_cast<float>(args.reduction == ChannelReduction::mean ? sum / args.channels : sum);
  });
}

void local_response_norm(const LocalResponseArgs& args, ThreadPool& pool) {
  const int before = (args.size - 1) / 2, after = args.size / 2;
  for_pixels(args, args.channels, pool, [&](const float* x, float* out) {
    for (int c = 0; c < args.channels; ++c) {
      float sum = 0;
      const int end = std::min(args.channels - 1, c + after);
      for (int k = std::max(0, c - before); k <= end; ++k) sum += x[k] * x[k];
      const float norm = args.bias + args.alpha / static_cast<float>(args.size) * sum;
      out[c] = x[c] * std::pow(norm, -args.beta);
    }
  });
}

}  // namespace concertina::kernels
