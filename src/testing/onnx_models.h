#pragma once

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "graph/network.h"
#include "graph/networks/networks.h"
#include "onnx/model_file.h"

/// Networks and models for the tests of this folder and of those that read its files.
namespace concertina::testing {

/// Random values of about unit gain; variances are positive.
inline Array random_array(const Parameter& parameter, const std::vector<int>& shape, std::uint64_t stream) {
  const CounterRandom random(7, stream);
  Array array{.shape = shape, .values = {}};
  std::size_t count = 1;
  for (const int size : shape) count *= static_cast<std::size_t>(size);
  const double fan_in = static_cast<double>(count) / shape[0];
  for (std::size_t i = 0; i < count; ++i) {
    const double x = random.uniform(i);
    const bool is_variance = parameter.name == "running_var";
    array.values.push_back(static_cast<float>(is_variance ? 0.5 + x : (2 * x - 1) * std::sqrt(3 / fan_in)));
  }
  return array;
}

inline Weights random_weights(const Graph& graph) {
  Weights weights;
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Parameter& parameter : parameters(graph, id)) {
      weights.emplace(parameter_name(graph.node(id), parameter),
                      random_array(parameter, parameter.shape, weights.size()));
    }
  }
  return weights;
}

inline Weights random_statistics(const Graph& graph, const Subnet& subnet, std::uint64_t seed) {
  Weights statistics;
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Parameter& parameter : parameters(graph, id)) {
      if (parameter.trainable) continue;
      statistics.emplace(parameter_name(graph.node(id), parameter),
                         random_array(parameter, active_sizes(graph, id, parameter, subnet),
                                      1000 * seed + statistics.size()));
    }
  }
  return statistics;
}

/// Every op that can be written: branches of different dimensions, concatenated, normalised, added,
/// flattened.
inline Graph every_op() {
  op::Input input;
  input.shape = {3, 8, 8};
  const auto conv = [](int in, int out, int kernel, bool bias) {
    op::Conv op;
    op.in_channels = in;
    op.out_channels = out;
    op.window = Window::square(kernel, 1, kernel / 2);
    op.bias = bias;
    return op;
  };
  const auto norm = [](int channels, float epsilon) {
    op::BatchNorm op;
    op.channels = channels;
    op.epsilon = epsilon;
    return op;
  };
  op::MaxPool max_pool;
  max_pool.window = Window::square(3, 1, 1);
  op::AveragePool average;
  average.window = {
      .kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_bottom = 1};
  op::AveragePool counting = average;
  counting.count_padding = true;
  op::Conv depthwise = conv(10, 10, 3, false);
  depthwise.groups = 10;
  op::Linear linear;
  op::Flatten flatten;
  flatten.pixels = 16;

  GraphBuilder net;
  const NodeId x = net.add("image", input);
  const NodeId stem = net.add("stem.relu6", op::relu6(), {net.add("stem", conv(3, 8, 3, true), {x})});
  const NodeId left = net.add("left.norm", norm(6, 1e-3F), {net.add("left", conv(8, 6, 1, false), {stem})});
  const NodeId right = net.add("right", conv(8, 4, 3, true), {net.add("right.pool", max_pool, {stem})});
  const NodeId joined = net.add("join", op::Concat{}, {net.add("left.relu", op::relu(), {left}), right});
  const NodeId mixed = net.add("mix", depthwise, {net.add("join.norm", norm(10, 1e-5F), {joined})});
  const NodeId sum = net.add("sum", op::Add{},
                             {net.add("average", average, {joined}), net.add("counting", counting, {mixed})});
  linear.in_features = 160;
  linear.out_features = 5;
  const NodeId detail = net.add("detail", linear, {net.add("flatten", flatten, {sum})});
  linear.in_features = 10;
  flatten.pixels = 1;
  const NodeId pooled = net.add("pooled", flatten, {net.add("pool", op::GlobalAveragePool{}, {sum})});
  linear.bias = false;
  const NodeId whole = net.add("whole", linear, {pooled});
  net.add("probabilities", op::Softmax{}, {net.add("score", op::Add{}, {detail, whole})});
  return *std::move(net).build();
}

/// Gives the sub-net its own batch norms and linear layers, instead of the shared ones.
inline void add_own_parameters(const Graph& graph, onnx::SubnetRecord& record, std::uint64_t seed) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Op& op = graph.node(id).op;
    if (!std::holds_alternative<op::BatchNorm>(op) && !std::holds_alternative<op::Linear>(op)) continue;
    for (const Parameter& parameter : parameters(graph, id)) {
      if (!parameter.trainable) continue;
      record.own.emplace(parameter_name(graph.node(id), parameter),
                         random_array(parameter, active_sizes(graph, id, parameter, record.subnet),
                                      1000 * seed + record.own.size()));
    }
  }
}

/// A model of `count` sub-nets, the last of them with parameters of its own, each a
/// little narrower than the one before, with random weights.
inline onnx::ModelFile random_model(const Graph& graph, int count) {
  const Shape& output = graph.shape(graph.output());
  const auto channels = static_cast<std::size_t>(graph.shape(graph.input()).channels);
  onnx::ModelFile model{
      .network = {graph, random_weights(graph)},
      .subnets = {},
      .preprocessing = {std::vector<float>(channels, 0.4F), std::vector<float>(channels, 0.3F)},
      .classes = {}};
  Subnet subnet = full_subnet(graph);
  for (int i = 0; i < count; ++i) {
    model.subnets.push_back({.subnet = subnet,
                             .own = random_statistics(graph, subnet, static_cast<std::uint64_t>(i) + 1),
                             .validation_accuracy = 0.9 - i / 30.0,
                             .test_accuracy = {}});
    for (int& width : subnet.widths) width = std::max(1, width - 1);
  }
  if (count > 1) add_own_parameters(graph, model.subnets.back(), 77);
  for (int i = 0; i < onnx::kProbeImages * static_cast<int>(output_elements(graph)); ++i) {
    model.subnets.back().probe_logits.push_back(0.25F * static_cast<float>(i) - 1);
  }
  for (const auto& [name, array] : model.subnets[0].own) model.network.weights.at(name) = array;
  model.subnets[0].test_accuracy = 0.1 + 0.2;
  const int classes = output.height * output.width == 1 ? output.channels : 0;  // maps have none
  for (int i = 0; i < classes; ++i) model.classes.push_back("Stra\u00dfe " + std::to_string(i));
  return model;
}

}  // namespace concertina::testing
