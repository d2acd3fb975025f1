#include "train/supernet/noise.h"

namespace concertina::train {

NoiseScales::NoiseScales(const Graph& graph, double initial, torch::Device device) {
  for (int d = 0; d < graph.layout().free_dimensions; ++d) {
    const int channels = graph.layout().dimensions[d].channels;
    scales_.push_back(torch::full({channels}, initial, torch::TensorOptions(device)).requires_grad_());
  }
}

torch::Tensor NoiseScales::perturb(const torch::Tensor& weight, const Graph& graph, NodeId id,
                                   const Subnet& subnet, double sign) const {
  const ChannelLayout& layout = graph.layout();
  std::vector<torch::Tensor> along;
  for (const auto& [dimension, repeat] : graph.axis(id)) {
    const std::int64_t active = layout.active_channels(dimension, subnet);
    if (dimension >= layout.free_dimensions) {
      along.push_back(torch::zeros({active * repeat}, weight.options()));
    } else {
      const torch::Tensor scale = scales_[dimension].narrow(0, 0, active);
      along.push_back(repeat == 1 ? scale : scale.repeat_interleave(repeat));
    }
  }
  std::vector<std::int64_t> shape(static_cast<std::size_t>(weight.dim()), 1);
  shape[0] = weight.size(0);
  const torch::Tensor scale = (along.size() == 1 ? along[0] : torch::cat(along)).view(shape);
  const torch::Tensor size = weight.detach().flatten(1).square().mean(1).sqrt().view(shape);
  return weight + scale * (sign * size * torch::randn_like(weight));
}

torch::Tensor NoiseScales::mean_log() const {
  return torch::log(torch::cat(scales_).abs() + 1e-8).mean();
}

}  // namespace concertina::train
