#include <algorithm>

#include "graph/branches.h"
#include "graph/resolution.h"
#include "train/supernet/batch_norm.h"
#include "train/supernet/conv.h"
#include "train/supernet/fake_int8.h"
#include "train/supernet/supernet.h"
#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

/// A vector is [n][c] or, where a map of one pixel came before, [n][c][1][1]. What needs one of the two asks
/// for it.
torch::Tensor as_map(const torch::Tensor& x) {
  return x.dim() == 4 ? x : x.view({x.size(0), x.size(1), 1, 1});
}
torch::Tensor as_vector(const torch::Tensor& x) {
  return x.dim() == 2 ? x : x.flatten(1);
}

/// Runs a graph's nodes one after another for one sub-net.
class Interpreter {
 public:
  Interpreter(const Supernet& net, const Subnet& subnet, const ForwardOptions& options)
      : net_(net),
        graph_(net.graph()),
        subnet_(subnet),
        options_(options),
        absent_(absent_nodes(graph_, subnet)) {}

  std::vector<torch::Tensor> run(std::span<const torch::Tensor> inputs, std::span<const NodeId> wanted) {
    const std::vector<NodeId> last_use = last_uses(wanted);
    const NodeId first = start(inputs);
    for (id_ = first; id_ < graph_.size(); ++id_) {
      if (!absent_[id_]) value(id_) = std::visit(*this, graph_.node(id_).op);
      keep(id_);
      for (const NodeId input : graph_.node(id_).inputs) {
        if (last_use[input] == id_) value(input) = torch::Tensor();
      }
    }
    std::vector<torch::Tensor> results;
    for (const NodeId id : wanted) {
      const Shape& shape = graph_.shape(id);
      const torch::Tensor result = shape.height * shape.width == 1 ? as_vector(value(id)) : value(id);
      results.push_back(result.to(torch::kFloat));
    }
    return results;
  }

  torch::Tensor operator()(const op::Input&) const { return value(id_); }  // given, not computed

  torch::Tensor operator()(const op::Conv& op) {
    const torch::Dtype dtype = net_.compute().dtype;
    const std::int64_t groups = op.groups == 1 ? 1 : map().size(1) / (op.in_channels / op.groups);
    if (net_.has_own_convolution(id_)) {
      const bool moments = !options_.statistics && net_.normalized(id_);
      const ConvOutput output =
          conv(multiplied(map()).to(dtype), conv_prefix(), op, groups, moments, net_.memory());
      if (moments) moments_[id_] = output.moments;
      return output.y;
    }
    const auto by_libtorch = op.transposed() ? transposed_conv : plain_conv;
    return by_libtorch(multiplied(map()).to(dtype), weight(dtype), bias(op.bias, dtype), groups, op);
  }

  torch::Tensor operator()(const op::Linear& linear) const {
    const torch::Dtype dtype = net_.is_classifier(id_) ? torch::kFloat : net_.compute().dtype;
    return torch::linear(multiplied(as_vector(input())).to(dtype), weight(dtype), bias(linear.bias, dtype));
  }

  torch::Tensor operator()(const op::BatchNorm& norm) {
    if (options_.statistics) return normalize(norm, *options_.statistics);
    return net_.added(id_) ? input() : normalize(id_, torch::Tensor());
  }

  /// Moments in fp32, as those of a batch norm.
  torch::Tensor operator()(const op::GroupNorm& norm) const {
    const torch::Tensor x = input().to(torch::kFloat);
    torch::Tensor y;
    if (norm.by_pixel) {
      const torch::Tensor centred = x - x.mean(1, true);
      y = centred * torch::rsqrt(centred.square().mean(1, true) + norm.epsilon);
    } else {
      y = torch::group_norm(x, norm.group == 0 ? 1 : x.size(1) / norm.group, {}, {}, norm.epsilon);
    }
    return y.to(net_.compute().dtype) * by_channel("weight") + by_channel("bias");
  }

  torch::Tensor operator()(const op::Activation& activation) const {
    const NodeId from = graph_.node(id_).inputs[0];
    const std::optional<NodeId> rest = rest_of(from);
    const bool done = rest ? graph_.node(*rest).op == graph_.node(id_).op && activation.is_relu()
                           : !options_.statistics && net_.rectified(from);
    return done ? input() : activate(input(), activation);
  }

  torch::Tensor operator()(const op::PRelu&) const {
    return torch::relu(input()) + by_channel("weight") * torch::clamp_max(input(), 0);
  }

  torch::Tensor operator()(const op::Add&) {
    if (const std::optional<NodeId> rest = rest_of(id_)) {
      const bool waits = !options_.statistics && net_.added(*rest);
      return waits ? normalize(*rest, torch::Tensor()) : value(*rest);
    }
    if (!options_.statistics && net_.rectified(id_)) {
      const std::vector<NodeId>& terms = graph_.node(id_).inputs;
      const bool first = net_.added(terms[0]);
      return normalize(terms[first ? 0 : 1], input(first ? 1 : 0));
    }
    return alike() ? input(0) + input(1) : map(0) + map(1);
  }
  torch::Tensor operator()(const op::Mul&) const { return alike() ? input(0) * input(1) : map(0) * map(1); }
  torch::Tensor operator()(const op::Scale&) const { return input() * by_channel("weight"); }
  torch::Tensor operator()(const op::Shift&) const { return input() + by_channel("bias"); }

  torch::Tensor operator()(const op::MaxPool& pool) const { return max_pool(map(), pool.window); }
  torch::Tensor operator()(const op::AveragePool& pool) const { return average_pool(map(), pool); }
  // Few values, which every class is decided by.
  torch::Tensor operator()(const op::GlobalAveragePool&) const {
    return map().mean({2, 3}, true, torch::kFloat);
  }
  torch::Tensor operator()(const op::Flatten&) const { return input().flatten(1); }
  torch::Tensor operator()(const op::AsMap&) const { return map(); }

  torch::Tensor operator()(const op::Concat&) const {
    const std::size_t count = graph_.node(id_).inputs.size();
    bool vectors = true;
    for (std::size_t i = 0; i < count; ++i) vectors = vectors && input(i).dim() == 2;
    std::vector<torch::Tensor> parts;
    for (std::size_t i = 0; i < count; ++i) parts.push_back(vectors ? input(i) : map(i));
    return torch::cat(parts, 1);
  }

  torch::Tensor operator()(const op::Slice&) const {
    const auto slice = std::get<op::Slice>(resized(graph_, id_, subnet_));
    return input().narrow(1, slice.begin, slice.end - slice.begin);
  }
  torch::Tensor operator()(const op::PadChannels&) const {
    const auto pad = std::get<op::PadChannels>(resized(graph_, id_, subnet_));
    return torch::constant_pad_nd(map(), {0, 0, 0, 0, pad.before, pad.after});
  }

  torch::Tensor operator()(const op::ChannelShuffle& shuffle) const {
    return shuffle_channels(input(), shuffle.groups);
  }
  torch::Tensor operator()(const op::DepthToSpace& op) const { return depth_to_space(map(), op); }
  torch::Tensor operator()(const op::SpaceToDepth& op) const { return space_to_depth(map(), op); }
  torch::Tensor operator()(const op::Pad& padding) const { return pad(map(), padding); }
  torch::Tensor operator()(const op::Resize& op) const { return resize(map(), op); }
  torch::Tensor operator()(const op::ChannelReduce& reduce) const {
    switch (reduce.kind) {
      case op::ChannelReduce::Kind::mean:
        return input().mean(1, true);
      case op::ChannelReduce::Kind::max:
        return input().amax(1, true);
      case op::ChannelReduce::Kind::sum:
        break;
    }
    return input().sum(1, true);
  }
  torch::Tensor operator()(const op::LocalResponseNorm& norm) const {
    // Sums over neighbours are means over windows of a map whose rows are channels.
    const torch::Tensor x = map().to(torch::kFloat);
    const torch::Tensor squares = x.square().flatten(2).unsqueeze(1);
    const torch::Tensor padded = torch::constant_pad_nd(squares, {0, 0, (norm.size - 1) / 2, norm.size / 2});
    const torch::Tensor means = torch::avg_pool2d(padded, {norm.size, 1}, {1, 1}).view(x.sizes());
    return (x * torch::pow(norm.bias + norm.alpha * means, -norm.beta)).to(net_.compute().dtype);
  }
  torch::Tensor operator()(const op::Softmax& softmax) const {
    return softmax.logarithm ? torch::log_softmax(input(), 1) : torch::softmax(input(), 1);
  }
  torch::Tensor operator()(const op::Opaque&) const { return {}; }  // refused by Supernet::make()

 private:
  /// The operand that is left of a sum, if the other one is absent.
  std::optional<NodeId> rest_of(NodeId id) const {
    const std::vector<NodeId>& inputs = graph_.node(id).inputs;
    if (inputs.size() != 2 || absent_[inputs[0]] == absent_[inputs[1]]) return std::nullopt;
    return inputs[absent_[inputs[0]] ? 1 : 0];
  }

  /// By node, the last one that reads its value; nobody lets go of what is wanted.
  std::vector<NodeId> last_uses(std::span<const NodeId> wanted) const {
    std::vector<NodeId> last_use(static_cast<std::size_t>(graph_.size()), 0);
    for (NodeId id = 0; id < graph_.size(); ++id) {
      for (const NodeId input : graph_.node(id).inputs) last_use[input] = id;
    }
    for (const NodeId id : wanted) last_use[id] = graph_.size();
    return last_use;
  }

  /// Sets the values that are given; the first node to compute.
  NodeId start(std::span<const torch::Tensor> inputs) {
    values_.resize(static_cast<std::size_t>(graph_.size()));
    const NodeId first = std::max(options_.first, graph_.inputs());
    if (options_.before) {
      for (const auto& [id, given] : *options_.before) {
        if (id >= first) continue;
        value(id) = id < graph_.inputs() ? given.to(net_.compute().dtype) : given;
      }
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) values_[i] = sized(inputs[i]).to(net_.compute().dtype);
    for (NodeId id = 0; id < first; ++id) keep(id);
    return first;
  }

  /// Images at the sub-net's resolution, from ones of the network's size or its own.
  torch::Tensor sized(const torch::Tensor& images) const {
    if (subnet_.resolution == 0) return images;
    const Shape size = scaled(graph_.shape(graph_.input()), subnet_.resolution);
    const bool is_sized = images.size(2) == size.height && images.size(3) == size.width;
    return is_sized ? images : scale(images, size.height, size.width);
  }

  /// What a batch norm makes of its input with a sub-net's statistics.
  torch::Tensor normalize(const op::BatchNorm& norm, const Tensors& statistics) const {
    const std::string& name = graph_.node(id_).name;
    if (options_.collector) collect(name, input().to(torch::kFloat));
    return torch::batch_norm(input(), active("weight"), active("bias"), statistics.at(name + ".running_mean"),
                             statistics.at(name + ".running_var"), false, 0, norm.epsilon, false);
  }

  /// The same with those of the batch, and what follows it in the same pass. `residual` may be undefined.
  torch::Tensor normalize(NodeId id, const torch::Tensor& residual) {
    const Node& node = graph_.node(id);
    const bool relu = residual.defined() || net_.rectified(id);
    const torch::Tensor& x = value(net_.added(id) ? id : node.inputs[0]);
    const BatchNormOutput output =
        batch_norm({.x = x,
                    .scale = active(id, "weight"),
                    .shift = active(id, "bias"),
                    .epsilon = std::get<op::BatchNorm>(node.op).epsilon,
                    .residual = residual.defined() ? residual.to(x.scalar_type()).view_as(x) : residual,
                    .relu = relu,
                    .moments = moments_[node.inputs[0]]},
                   net_.memory(), options_.sharers);
    if (options_.collector) options_.collector->add(node.name, output.mean, output.variance);
    return output.y;
  }

  void collect(const std::string& norm, const torch::Tensor& x) const {
    const auto over = x.dim() == 4 ? std::vector<std::int64_t>{0, 2, 3} : std::vector<std::int64_t>{0};
    const auto [variance, mean] = torch::var_mean(x, over, true);
    options_.collector->add(norm, mean, variance);
  }

  void keep(NodeId id) {
    if (options_.kept && value(id).defined() && (*options_.keep)[id]) (*options_.kept)[id] = value(id);
  }
  torch::Tensor& value(NodeId id) { return values_[id]; }
  const torch::Tensor& value(NodeId id) const { return values_[id]; }
  const torch::Tensor& input(std::size_t i = 0) const { return value(graph_.node(id_).inputs[i]); }
  torch::Tensor map(std::size_t i = 0) const { return as_map(input(i)); }
  bool alike() const { return input(0).dim() == input(1).dim(); }

  /// What a layer multiplies with its weights.
  torch::Tensor multiplied(const torch::Tensor& x) const {
    return net_.compute().fake_int8 ? fake_int8_input(x, options_.sharers) : x;
  }

  torch::Tensor active(const char* name) const { return active(id_, name); }

  /// The sub-net's own or active part of a node's parameter, fp32.
  torch::Tensor active(NodeId id, const char* name) const {
    const Node& node = graph_.node(id);
    for (const Parameter& parameter : parameters_of(node.op)) {
      if (parameter.name != name) continue;
      if (options_.own) {
        const auto own = options_.own->find(parameter_name(node, parameter));
        if (own != options_.own->end()) return own->second;
      }
      return net_.active(id, parameter, subnet_);
    }
    return {};
  }

  /// The whole array where the sub-net has the first channels of it.
  ConvPrefix conv_prefix() const {
    const Node& node = graph_.node(id_);
    ConvPrefix prefix{.weight = {}, .bias = bias(std::get<op::Conv>(node.op).bias, torch::kFloat)};
    const std::string name = parameter_name(node, "weight");
    const bool changed = options_.noise || (options_.own && options_.own->contains(name));
    if (const auto outputs = changed ? std::nullopt : net_.first_outputs(id_, subnet_)) {
      prefix.weight = net_.whole(id_, "weight");
      prefix.outputs = *outputs;
      return prefix;
    }
    prefix.weight = weight(torch::kFloat);
    if (prefix.weight.stride(2) != prefix.weight.size(3) * prefix.weight.stride(3))
      prefix.weight = prefix.weight.contiguous();
    prefix.outputs = prefix.weight.size(0);
    return prefix;
  }

  torch::Tensor weight(torch::Dtype dtype) const {
    torch::Tensor w = active("weight");
    if (options_.noise) w = options_.noise->perturb(w, graph_, id_, subnet_, options_.noise_sign);
    return w.to(dtype);
  }
  torch::Tensor bias(bool present, torch::Dtype dtype) const {
    return present ? active("bias").to(dtype) : torch::Tensor();
  }
  torch::Tensor by_channel(const char* name) const {
    const torch::Tensor values = active(name).to(net_.compute().dtype);
    return input().dim() == 4 ? values.view({-1, 1, 1}) : values;
  }

  const Supernet& net_;
  const Graph& graph_;
  const Subnet& subnet_;
  const ForwardOptions& options_;
  const std::vector<bool> absent_;
  NodeId id_ = 0;
  std::vector<torch::Tensor> values_;
  std::map<NodeId, ChannelMoments> moments_;  ///< of convolutions that a batch norm reads
};

}  // namespace

std::vector<torch::Tensor> Supernet::values(std::span<const torch::Tensor> inputs,
                                            std::span<const NodeId> nodes, const Subnet& subnet,
                                            const ForwardOptions& options) const {
  return Interpreter(*this, subnet, options).run(inputs, nodes);
}

torch::Tensor Supernet::forward(const torch::Tensor& images, const Subnet& subnet,
                                const ForwardOptions& options) const {
  const NodeId output = graph_.output();
  return values({&images, 1}, {&output, 1}, subnet, options)[0];
}

}  // namespace concertina::train
