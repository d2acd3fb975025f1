#include "train/tensors.h"

#include <fmt/format.h>

#include <cmath>
#include <sstream>

#include "base/file.h"
#include "base/try.h"

namespace concertina::train {
namespace {

torch::Tensor initial_tensor(const Graph& graph, NodeId id, const Parameter& parameter,
                             const Subnet& subnet) {
  const Node& node = graph.node(id);
  const auto features = [&](NodeId of) {
    return static_cast<double>(graph.layout().active_features(graph.axis(of), subnet));
  };
  const std::vector<std::int64_t> shape(parameter.shape.begin(), parameter.shape.end());
  if (parameter.shape.size() == 1 && !std::holds_alternative<op::Linear>(node.op)) {
    return parameter.name == "weight" ? torch::ones(shape) : torch::zeros(shape);
  }
  if (const auto* conv = std::get_if<op::Conv>(&node.op)) {
    // Of a sub-net there are fewer groups, of the same size.
    const double filters =
        conv->groups == 1 ? features(id) : static_cast<double>(conv->out_channels) / conv->groups;
    return torch::randn(shape) * std::sqrt(2.0 / (filters * conv->window.taps()));
  }
  return (torch::rand(shape) * 2 - 1) / std::sqrt(features(node.inputs[0]));
}

torch::Tensor from_bytes(const std::string& bytes) {
  torch::Tensor tensor = torch::empty({static_cast<std::int64_t>(bytes.size())}, torch::kByte);
  std::copy(bytes.begin(), bytes.end(), tensor.data_ptr<std::uint8_t>());
  return tensor;
}

std::string to_bytes(const torch::Tensor& tensor) {
  const auto* data = tensor.data_ptr<std::uint8_t>();
  return {data, data + tensor.numel()};
}

std::string to_string(torch::serialize::OutputArchive& archive) {
  std::ostringstream stream;
  archive.save_to(stream);
  return std::move(stream).str();
}

// Archives of LibTorch keep no order of their own, and '.' separates their parts; so names stand beside them.
Checkpoint parse(const std::string& bytes) {
  torch::serialize::InputArchive archive;
  archive.load_from(bytes.data(), bytes.size());
  c10::IValue names, steps, loss_sum, images, macs, optimizers;
  archive.read("names", names);
  archive.read("steps", steps);
  archive.read("loss_sum", loss_sum);
  archive.read("images", images);
  archive.read("macs", macs);
  archive.read("optimizers", optimizers);
  Checkpoint checkpoint;
  checkpoint.steps = steps.toInt();
  checkpoint.loss_sum = loss_sum.toDouble();
  checkpoint.spent = {images.toInt(), macs.toDouble()};
  std::istringstream lines(names.toStringRef());
  int number = 0;
  for (std::string name; std::getline(lines, name); ++number) {
    archive.read(fmt::format("tensor{}", number), checkpoint.tensors[name]);
  }
  for (std::int64_t i = 0; i < optimizers.toInt(); ++i) {
    torch::Tensor state;
    archive.read(fmt::format("optimizer{}", i), state);
    checkpoint.optimizers.push_back(to_bytes(state));
  }
  return checkpoint;
}

}  // namespace

Tensors to_tensors(const Weights& weights, torch::Device device) {
  Tensors tensors;
  for (const auto& [name, array] : weights) {
    const std::vector<std::int64_t> shape(array.shape.begin(), array.shape.end());
    auto* values =
        const_cast<float*>(array.values.data());  // from_blob has no const form; the clone only reads
    tensors[name] = torch::from_blob(values, shape).clone().to(device);
  }
  return tensors;
}

Weights to_weights(const Tensors& tensors) {
  Weights weights;
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor plain = tensor.detach().to(torch::kCPU, torch::kFloat).contiguous();
    const auto* data = plain.data_ptr<float>();
    weights[name] = {.shape = {plain.sizes().begin(), plain.sizes().end()},
                     .values = {data, data + plain.numel()}};
  }
  return weights;
}

Tensors initial_tensors(const Graph& graph, std::uint64_t seed) {
  return initial_tensors(graph, seed, full_subnet(graph));
}

Tensors initial_tensors(const Graph& graph, std::uint64_t seed, const Subnet& subnet) {
  torch::manual_seed(seed);
  Tensors tensors;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    for (const Parameter& parameter : parameters(graph, id)) {
      if (parameter.trainable)
        tensors[parameter_name(node, parameter)] = initial_tensor(graph, id, parameter, subnet);
    }
  }
  return tensors;
}

Status write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  torch::serialize::OutputArchive archive;
  std::string names;
  int number = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    names += name + '\n';
    archive.write(fmt::format("tensor{}", number++), tensor.detach().to(torch::kCPU).contiguous(), true);
  }
  archive.write("names", c10::IValue(names));
  archive.write("steps", c10::IValue(checkpoint.steps));
  archive.write("loss_sum", c10::IValue(checkpoint.loss_sum));
  archive.write("images", c10::IValue(checkpoint.spent.images));
  archive.write("macs", c10::IValue(checkpoint.spent.macs));
  archive.write("optimizers", c10::IValue(static_cast<std::int64_t>(checkpoint.optimizers.size())));
  for (std::size_t i = 0; i < checkpoint.optimizers.size(); ++i) {
    archive.write(fmt::format("optimizer{}", i), from_bytes(checkpoint.optimizers[i]), true);
  }
  return write_file(path, to_string(archive));
}

Result<Checkpoint> read_checkpoint(const std::filesystem::path& path, const Processes& processes) {
  ASSIGN_OR_RETURN(const std::string bytes, processes.read_file(path));
  try {
    return parse(bytes);
  } catch (const std::exception&) {
    return Error{fmt::format("'{}' is damaged; delete its folder to make it again", path.string())};
  }
}

std::string save_optimizer(const torch::optim::Optimizer& optimizer) {
  torch::serialize::OutputArchive archive;
  optimizer.save(archive);
  return to_string(archive);
}

void load_optimizer(torch::optim::Optimizer& optimizer, const std::string& state) {
  c10::optional<torch::Device> device;  // where the weights are: the state may have been saved on another
  for (const auto& group : optimizer.param_groups()) {
    if (!group.params().empty()) device = group.params()[0].device();
  }
  torch::serialize::InputArchive archive;
  archive.load_from(state.data(), state.size(), device);
  optimizer.load(archive);
}

}  // namespace concertina::train
