#include "runtime/reference_interpreter.h"

#include <fmt/format.h>

#include <cmath>

#include "base/try.h"
#include "kernels/reference.h"

namespace concertina::runtime {
namespace {

namespace reference = kernels::reference;
using reference::Floats;

class Interpreter {
 public:
  Interpreter(const Network& network, std::span<const float> images, int batch)
      : graph_(network.graph), weights_(network.weights), images_(images), batch_(batch) {}

  Result<Floats> run() {
    for (node_ = 0; node_ < graph_.size(); ++node_) {
      auto value = std::visit([&](const auto& op) { return compute(op); }, graph_.node(node_).op);
      if (!value) return value.error();
      values_.push_back(std::move(value).value());
    }
    return std::move(values_.back());
  }

 private:
  Result<Floats> compute(const op::Input&) { return Floats(images_.begin(), images_.end()); }

  Result<Floats> compute(const op::Conv& op) {
    return conv(op.groups, op.in_channels, op.out_channels, window(op.window), op.bias);
  }
  Result<Floats> compute(const op::Linear& op) {
    return conv(1, op.in_features, op.out_features, {}, op.bias);
  }

  Result<Floats> compute(const op::BatchNorm& op) {
    Floats scale = array(".weight");
    Floats shift = array(".bias");
    for (std::size_t c = 0; c < scale.size(); ++c) {
      const double s = scale[c] / std::sqrt(static_cast<double>(array(".running_var")[c]) + op.epsilon);
      shift[c] = static_cast<float>(shift[c] - array(".running_mean")[c] * s);
      scale[c] = static_cast<float>(s);
    }
    return reference::affine(input(), batch_, op.channels, pixels(), scale, shift,
                             kernels::Activation::kNone);
  }

  Result<Floats> compute(const op::Relu&) { return activated(kernels::Activation::kRelu); }
  Result<Floats> compute(const op::Relu6&) { return activated(kernels::Activation::kRelu6); }

  Result<Floats> compute(const op::Add&) {
    return reference::add(input(0), input(1), kernels::Activation::kNone);
  }

  Result<Floats> compute(const op::MaxPool& op) {
    return reference::max_pool(input(), planes(), window(op.window));
  }
  Result<Floats> compute(const op::AveragePool& op) {
    return reference::average_pool(input(), planes(), window(op.window), op.count_padding,
                                   op.window.pad_bottom, op.window.pad_right);
  }
  Result<Floats> compute(const op::GlobalAveragePool&) {
    const Shape& shape = input_shape();
    return reference::global_average_pool(input(), planes(), shape.height * shape.width);
  }

  Result<Floats> compute(const op::Flatten&) { return input(); }

  Result<Floats> compute(const op::Concat&) {
    Floats joined;
    for (std::size_t n = 0; n < static_cast<std::size_t>(batch_); ++n) {
      for (const NodeId id : graph_.node(node_).inputs) {
        const Floats& value = values_[static_cast<std::size_t>(id)];
        const auto size = static_cast<std::ptrdiff_t>(value.size() / static_cast<std::size_t>(batch_));
        const auto image = value.begin() + static_cast<std::ptrdiff_t>(n) * size;
        joined.insert(joined.end(), image, image + size);
      }
    }
    return joined;
  }

  Result<Floats> compute(const op::Softmax&) {
    return reference::softmax(input(), batch_, graph_.shape(node_).channels, pixels());
  }

  Result<Floats> compute(const op::Opaque& op) {
    return Error{fmt::format("node '{}' is the op {}, which the reference cannot run",
                             graph_.node(node_).name, op.type)};
  }

  Floats conv(int groups, int in_channels, int out_channels, const kernels::Window& window, bool bias) {
    const auto count = static_cast<std::size_t>(out_channels);
    return reference::conv({.batch = batch_,
                            .groups = groups,
                            .in_channels = in_channels / groups,
                            .out_channels = out_channels / groups,
                            .window = window,
                            .x = input(),
                            .w = array(".weight"),
                            .scale = Floats(count, 1.0F),
                            .shift = bias ? array(".bias") : Floats(count, 0.0F),
                            .residual = {}});
  }

  Floats activated(kernels::Activation act) {
    Floats result = input();
    for (float& v : result) v = reference::activate(act, v);
    return result;
  }

  kernels::Window window(const Window& w) const {
    return {.in_h = input_shape().height,
            .in_w = input_shape().width,
            .out_h = graph_.shape(node_).height,
            .out_w = graph_.shape(node_).width,
            .kernel_h = w.kernel_h,
            .kernel_w = w.kernel_w,
            .stride_h = w.stride_h,
            .stride_w = w.stride_w,
            .pad_top = w.pad_top,
            .pad_left = w.pad_left};
  }

  NodeId input_id(std::size_t i) const { return graph_.node(node_).inputs[i]; }
  const Floats& input(std::size_t i = 0) const { return values_[static_cast<std::size_t>(input_id(i))]; }
  const Shape& input_shape() const { return graph_.shape(input_id(0)); }
  int planes() const { return batch_ * input_shape().channels; }
  int pixels() const { return graph_.shape(node_).height * graph_.shape(node_).width; }
  const Floats& array(const char* name) const { return weights_.at(graph_.node(node_).name + name).values; }

  const Graph& graph_;
  const Weights& weights_;
  std::span<const float> images_;
  int batch_;
  NodeId node_ = 0;
  std::vector<Floats> values_;  ///< by node, of those before node_
};

}  // namespace

Result<std::vector<float>> reference_run(const Network& network, std::span<const float> images, int batch) {
  return Interpreter(network, images, batch).run();
}

}  // namespace concertina::runtime
