#include "train/supernet.h"

#include <fmt/format.h>

#include <limits>

#include "train/batch_norm.h"

namespace concertina::train {
namespace {

/// Symmetric padding for LibTorch's own argument; asymmetric padding is applied beforehand by `padded`.
bool symmetric(const Window& w) {
  return w.pad_top == w.pad_bottom && w.pad_left == w.pad_right;
}

torch::Tensor padded(const torch::Tensor& x, const Window& w, double value) {
  if (w.pad_left + w.pad_right + w.pad_top + w.pad_bottom == 0) return x;
  return torch::constant_pad_nd(x, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom}, value);
}

/// The channels of the sub-net along one dimension of a parameter.
torch::Tensor cut(const Graph& graph, const torch::Tensor& tensor, std::int64_t along,
                  const ChannelAxis& axis, const Subnet& subnet) {
  const auto ranges = graph.layout().active_ranges(axis, subnet);
  if (ranges.size() == 1) return tensor.narrow(along, 0, ranges[0].count);
  std::vector<torch::Tensor> parts;
  for (const auto& [begin, count] : ranges) parts.push_back(tensor.narrow(along, begin, count));
  return torch::cat(parts, along);
}

/// Runs one node after another for one sub-net.
class Interpreter {
 public:
  Interpreter(const Supernet& net, const Subnet& subnet, const ForwardOptions& options)
      : net_(net), graph_(net.graph()), subnet_(subnet), options_(options) {}

  torch::Tensor run(const torch::Tensor& images) {
    const auto count = static_cast<std::size_t>(graph_.size());
    values_.resize(count);
    std::vector<NodeId> last_use(count, 0);
    for (NodeId id = 0; id < graph_.size(); ++id) {
      for (const NodeId input : graph_.node(id).inputs) last_use[static_cast<std::size_t>(input)] = id;
    }
    values_[0] = images.to(net_.compute().dtype);
    if (options_.before) {
      for (const auto& [id, kept] : *options_.before) {
        if (id < options_.first) value(id) = kept;
      }
    }
    for (NodeId id = 0; id < options_.first; ++id) keep(id);
    for (id_ = options_.first; id_ < graph_.size(); ++id_) {
      value(id_) = std::visit(*this, graph_.node(id_).op);
      keep(id_);
      for (const NodeId input : graph_.node(id_).inputs) {
        if (last_use[static_cast<std::size_t>(input)] == id_) value(input) = torch::Tensor();
      }
    }
    return value(graph_.output()).to(torch::kFloat);
  }

  torch::Tensor operator()(const op::Input&) const { return values_[0]; }

  torch::Tensor operator()(const op::Conv& conv) const {
    const Window& w = conv.window;
    const bool even = symmetric(w);
    const torch::Tensor x = even ? input() : padded(input(), w, 0);
    const std::int64_t groups = conv.depthwise() ? x.size(1) : conv.groups;
    return torch::conv2d(x, weight(), bias(conv.bias), {w.stride_h, w.stride_w},
                         even ? at::IntArrayRef{w.pad_top, w.pad_left} : at::IntArrayRef{0, 0}, 1, groups);
  }

  torch::Tensor operator()(const op::Linear& linear) const {
    return torch::linear(input(), weight(), bias(linear.bias));
  }

  torch::Tensor operator()(const op::BatchNorm& norm) const {
    const std::string& name = graph_.node(id_).name;
    const torch::Tensor scale = active("weight"), shift = active("bias");
    if (options_.statistics) {
      return torch::batch_norm(input(), scale, shift, options_.statistics->at(name + ".running_mean"),
                               options_.statistics->at(name + ".running_var"), false, 0, norm.epsilon, false);
    }
    const BatchNormOutput output = batch_norm(input(), scale, shift, norm.epsilon, net_.rectified(id_));
    if (options_.collector) options_.collector->add(name, output.mean, output.variance);
    return output.y;
  }

  torch::Tensor operator()(const op::Relu&) const {
    const bool done = !options_.statistics && net_.rectified(graph_.node(id_).inputs[0]);
    return done ? input() : torch::relu(input());
  }
  torch::Tensor operator()(const op::Relu6&) const { return torch::clamp(input(), 0, 6); }
  torch::Tensor operator()(const op::Add&) const { return input(0) + input(1); }

  torch::Tensor operator()(const op::MaxPool& pool) const {
    const Window& w = pool.window;
    const torch::Tensor x = padded(input(), w, -std::numeric_limits<double>::infinity());
    return torch::max_pool2d(x, {w.kernel_h, w.kernel_w}, {w.stride_h, w.stride_w});
  }

  torch::Tensor operator()(const op::AveragePool& pool) const {
    const Window& w = pool.window;
    const auto mean = [&](const torch::Tensor& x) {
      return torch::avg_pool2d(padded(x, w, 0), {w.kernel_h, w.kernel_w}, {w.stride_h, w.stride_w});
    };
    const bool has_padding = w.pad_top + w.pad_left + w.pad_bottom + w.pad_right > 0;
    if (pool.count_padding || !has_padding) return mean(input());
    return mean(input()) / mean(torch::ones_like(input().narrow(0, 0, 1).narrow(1, 0, 1)));
  }

  torch::Tensor operator()(const op::GlobalAveragePool&) const { return input().mean({2, 3}, true); }
  torch::Tensor operator()(const op::Flatten&) const { return input().flatten(1); }

  torch::Tensor operator()(const op::Concat&) const {
    std::vector<torch::Tensor> parts;
    for (std::size_t i = 0; i < graph_.node(id_).inputs.size(); ++i) parts.push_back(input(i));
    return torch::cat(parts, 1);
  }

  torch::Tensor operator()(const op::Softmax&) const { return torch::softmax(input(), 1); }
  torch::Tensor operator()(const op::Opaque&) const { return {}; }  // refused by Supernet::make()

 private:
  void keep(NodeId id) {
    if (options_.kept && value(id).defined() && (*options_.keep)[static_cast<std::size_t>(id)])
      (*options_.kept)[id] = value(id);
  }
  torch::Tensor& value(NodeId id) { return values_[static_cast<std::size_t>(id)]; }
  const torch::Tensor& input(std::size_t i = 0) const {
    return values_[static_cast<std::size_t>(graph_.node(id_).inputs[i])];
  }

  /// The sub-net's own or active part of a parameter of the current node, fp32.
  torch::Tensor active(const char* name) const {
    const Node& node = graph_.node(id_);
    for (const Parameter& parameter : parameters(graph_, id_)) {
      if (parameter.name != name) continue;
      if (options_.own) {
        const auto own = options_.own->find(parameter_name(node, parameter));
        if (own != options_.own->end()) return own->second;
      }
      return net_.active(id_, parameter, subnet_);
    }
    return {};
  }

  torch::Tensor weight() const {
    torch::Tensor w = active("weight");
    if (options_.noise) w = options_.noise->perturb(w, graph_, id_, subnet_);
    return w.to(net_.compute().dtype);
  }
  torch::Tensor bias(bool present) const {
    return present ? active("bias").to(net_.compute().dtype) : torch::Tensor();
  }

  const Supernet& net_;
  const Graph& graph_;
  const Subnet& subnet_;
  const ForwardOptions& options_;
  NodeId id_ = 0;
  std::vector<torch::Tensor> values_;
};

/// By node, whether it is a batch norm whose only reader is a ReLU.
std::vector<bool> find_rectified(const Graph& graph) {
  std::vector<std::vector<NodeId>> readers(static_cast<std::size_t>(graph.size()));
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const NodeId input : graph.node(id).inputs) readers[static_cast<std::size_t>(input)].push_back(id);
  }
  std::vector<bool> rectified;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto& of_node = readers[static_cast<std::size_t>(id)];
    rectified.push_back(std::holds_alternative<op::BatchNorm>(graph.node(id).op) && of_node.size() == 1 &&
                        std::holds_alternative<op::Relu>(graph.node(of_node[0]).op));
  }
  return rectified;
}

torch::Tensor prepared(const torch::Tensor& weight, torch::Device device) {
  torch::Tensor copy = weight.detach().to(device, torch::kFloat, false, true);
  if (copy.dim() == 4) copy = copy.contiguous(torch::MemoryFormat::ChannelsLast);
  return copy;
}

}  // namespace

void StatisticsCollector::add(const std::string& norm, const torch::Tensor& mean,
                              const torch::Tensor& variance) {
  const bool first = ++counts_[norm] == 1;
  const auto accumulate = [&](const std::string& name, const torch::Tensor& value) {
    sums_[name] = first ? value.detach().clone() : sums_[name] + value.detach();
  };
  accumulate(norm + ".running_mean", mean);
  accumulate(norm + ".running_var", variance);
}

Tensors StatisticsCollector::result() const {
  Tensors means;
  for (const auto& [norm, count] : counts_) {
    for (const char* suffix : {".running_mean", ".running_var"})
      means[norm + suffix] = sums_.at(norm + suffix) / count;
  }
  return means;
}

Result<Supernet> Supernet::make(const Graph& graph, const Tensors& weights, const Compute& compute) {
  Supernet net(graph, compute);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (const auto* opaque = std::get_if<op::Opaque>(&node.op)) {
      return Error{fmt::format("node '{}': the op {} cannot be trained", node.name, opaque->type)};
    }
    for (const Parameter& parameter : parameters(graph, id)) {
      if (!parameter.trainable) continue;
      const std::string name = parameter_name(node, parameter);
      const auto found = weights.find(name);
      const std::vector<std::int64_t> shape(parameter.shape.begin(), parameter.shape.end());
      if (found == weights.end() || found->second.sizes() != at::IntArrayRef(shape)) {
        return Error{fmt::format("the weights have no array '{}' of the network's shape", name)};
      }
      net.weights_[name] = prepared(found->second, compute.device).requires_grad_();
    }
  }
  net.rectified_ = find_rectified(graph);
  return net;
}

torch::Tensor Supernet::forward(const torch::Tensor& images, const Subnet& subnet,
                                const ForwardOptions& options) const {
  return Interpreter(*this, subnet, options).run(images);
}

torch::Tensor Supernet::active(NodeId id, const Parameter& parameter, const Subnet& subnet) const {
  torch::Tensor tensor = weights_.at(parameter_name(graph_.node(id), parameter));
  for (std::size_t d = 0; d < parameter.axes.size(); ++d) {
    const auto along = static_cast<std::int64_t>(d);
    if (parameter.axes[d] == ParameterAxis::output_channels)
      tensor = cut(graph_, tensor, along, graph_.axis(id), subnet);
    if (parameter.axes[d] == ParameterAxis::input_channels)
      tensor = cut(graph_, tensor, along, graph_.axis(graph_.node(id).inputs[0]), subnet);
  }
  return tensor;
}

void Supernet::assign(const Tensors& weights) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : weights_) tensor.copy_(weights.at(name));
}

Supernet Supernet::with_precision(Precision precision) const {
  Supernet other = *this;
  other.compute_ = compute_.with(precision);
  return other;
}

}  // namespace concertina::train
