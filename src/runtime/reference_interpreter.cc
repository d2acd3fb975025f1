#include "runtime/reference_interpreter.h"

#include <fmt/format.h>

#include <cmath>

#include "base/try.h"
#include "graph/resolution.h"
#include "kernels/reference.h"
#include "runtime/pointwise.h"
#include "runtime/program.h"

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
    Floats all;
    for (const NodeId output : graph_.outputs()) {
      const Floats& value = values_[output];
      all.insert(all.end(), value.begin(), value.end());
    }
    return all;
  }

 private:
  Result<Floats> compute(const op::Input& op) {
    const auto size = static_cast<std::size_t>(batch_ * op.shape.elements());
    const auto mine = images_.first(size);
    images_ = images_.subspan(size);
    return Floats(mine.begin(), mine.end());
  }

  Result<Floats> compute(const op::Conv& op) {
    const Shape dilated = op.dilated(input_shape());
    std::vector<int> rows(static_cast<std::size_t>(dilated.height), -1);
    std::vector<int> columns(static_cast<std::size_t>(dilated.width), -1);
    for (int y = 0; y < input_shape().height; ++y) rows[y * op.input_dilation_h] = y;
    for (int x = 0; x < input_shape().width; ++x) columns[x * op.input_dilation_w] = x;
    const Floats x = reference::pick_pixels(input(), planes(), input_shape().height, input_shape().width,
                                            rows, columns, 0);
    return conv(x, op.groups, op.in_channels, op.out_channels,
                window_over(op.window, dilated, graph_.shape(node_)), op.bias);
  }
  Result<Floats> compute(const op::Linear& op) {
    return conv(input(), 1, op.in_features, op.out_features, {}, op.bias);
  }

  Result<Floats> compute(const op::BatchNorm& op) {
    Floats scale = array("weight");
    Floats shift = array("bias");
    for (std::size_t c = 0; c < scale.size(); ++c) {
      const double s = scale[c] / std::sqrt(static_cast<double>(array("running_var")[c]) + op.epsilon);
      shift[c] = static_cast<float>(shift[c] - array("running_mean")[c] * s);
      scale[c] = static_cast<float>(s);
    }
    return reference::affine(input(), batch_, op.channels, pixels(), scale, shift,
                             kernels::FusedActivation::none);
  }

  Result<Floats> compute(const op::Scale& op) {
    const Floats zeros(static_cast<std::size_t>(op.channels));
    return reference::affine(input(), batch_, op.channels, pixels(), array("weight"), zeros,
                             kernels::FusedActivation::none);
  }
  Result<Floats> compute(const op::Shift& op) {
    const Floats ones(static_cast<std::size_t>(op.channels), 1.0F);
    return reference::affine(input(), batch_, op.channels, pixels(), ones, array("bias"),
                             kernels::FusedActivation::none);
  }

  Result<Floats> compute(const op::GroupNorm& op) {
    return reference::normalize(input(), {batch_, op.channels, pixels()},
                                op.group == 0 ? op.channels : op.group, op.by_pixel, op.epsilon,
                                array("weight"), array("bias"));
  }

  Result<Floats> compute(const op::PRelu& op) {
    return reference::prelu(input(), batch_, op.channels, pixels(), array("weight"));
  }

  Result<Floats> compute(const op::Activation& op) {
    const kernels::PointwiseFunction function = pointwise(op);
    Floats result = input();
    for (float& v : result) v = reference::apply(function, v);
    return result;
  }

  Result<Floats> compute(const op::Add&) { return combined(kernels::Arithmetic::add); }
  Result<Floats> compute(const op::Mul&) { return combined(kernels::Arithmetic::multiply); }

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
  Result<Floats> compute(const op::AsMap&) { return input(); }

  Result<Floats> compute(const op::Slice& op) {
    return gathered([&](int c) { return op.begin + c; });
  }
  Result<Floats> compute(const op::ChannelShuffle& op) {
    const int size = input_shape().channels / op.groups;
    return gathered([&](int c) { return c % op.groups * size + c / op.groups; });
  }

  Result<Floats> compute(const op::DepthToSpace& op) {
    Floats wide(input().size());
    for_blocks(op, graph_.shape(node_), [&](std::size_t at, std::size_t deep) { wide[at] = input()[deep]; });
    return wide;
  }
  Result<Floats> compute(const op::SpaceToDepth& op) {
    Floats made(input().size());
    for_blocks(op, input_shape(), [&](std::size_t at, std::size_t deep) { made[deep] = input()[at]; });
    return made;
  }

  Result<Floats> compute(const op::PadChannels& op) {
    Floats padded;
    const auto zeros = [&](int channels) {
      padded.insert(padded.end(), static_cast<std::size_t>(channels * pixels()), 0.0F);
    };
    const auto size = static_cast<std::ptrdiff_t>(input_shape().elements());
    for (std::ptrdiff_t n = 0; n < batch_; ++n) {
      zeros(op.before);
      padded.insert(padded.end(), input().begin() + n * size, input().begin() + (n + 1) * size);
      zeros(op.after);
    }
    return padded;
  }

  Result<Floats> compute(const op::Pad& op) {
    const auto& [channels, height, width] = input_shape();
    std::vector<int> rows, columns;
    for (int y = 0; y < graph_.shape(node_).height; ++y) rows.push_back(op.source(y, op.top, height));
    for (int x = 0; x < graph_.shape(node_).width; ++x) columns.push_back(op.source(x, op.left, width));
    return reference::pick_pixels(input(), planes(), height, width, rows, columns, op.value);
  }
  Result<Floats> compute(const op::Resize& op) {
    const auto& [channels, height, width] = input_shape();
    std::vector<kernels::LinearTap> rows, columns;
    for (const auto& [first, second, share] : op.rows(height)) rows.push_back({first, second, share});
    for (const auto& [first, second, share] : op.columns(width)) columns.push_back({first, second, share});
    return reference::blend_pixels(input(), planes(), height, width, rows, columns);
  }

  Result<Floats> compute(const op::Concat&) {
    Floats joined;
    for (std::size_t n = 0; n < static_cast<std::size_t>(batch_); ++n) {
      for (const NodeId id : graph_.node(node_).inputs) {
        const Floats& value = values_[id];
        const auto size = static_cast<std::ptrdiff_t>(value.size() / static_cast<std::size_t>(batch_));
        const auto image = value.begin() + static_cast<std::ptrdiff_t>(n) * size;
        joined.insert(joined.end(), image, image + size);
      }
    }
    return joined;
  }

  Result<Floats> compute(const op::ChannelReduce& op) {
    return reference::reduce_channels(input(), {batch_, input_shape().channels, pixels()},
                                      channel_reduction(op.kind));
  }
  Result<Floats> compute(const op::LocalResponseNorm& op) {
    return reference::local_response_norm(input(), {batch_, input_shape().channels, pixels()}, op.size,
                                          op.alpha, op.beta, op.bias);
  }

  Result<Floats> compute(const op::Softmax& op) {
    return reference::softmax(input(), batch_, graph_.shape(node_).channels, pixels(), op.logarithm);
  }

  Result<Floats> compute(const op::Opaque& op) {
    return Error{fmt::format("node '{}' is the op {}, which the reference cannot run",
                             graph_.node(node_).name, op.type)};
  }

  Floats conv(const Floats& x, int groups, int in_channels, int out_channels,
              const kernels::WindowArgs& window, bool bias) {
    const auto count = static_cast<std::size_t>(out_channels);
    return reference::conv({.batch = batch_,
                            .groups = groups,
                            .in_channels = in_channels / groups,
                            .out_channels = out_channels / groups,
                            .window = window,
                            .x = x,
                            .w = array("weight"),
                            .scale = Floats(count, 1.0F),
                            .shift = bias ? array("bias") : Floats(count, 0.0F),
                            .residual = {}});
  }

  /// visit(place of a value in the wide map, its place in the deep one)
  template <typename Visit>
  void for_blocks(const op::Blocks& op, const Shape& wide, const Visit& visit) const {
    const auto& [channels, height, width] = wide;
    std::size_t at = 0;
    for (int n = 0; n < batch_; ++n) {
      for (int c = 0; c < channels; ++c) {
        for (int y = 0; y < height; ++y) {
          for (int x = 0; x < width; ++x) {
            const int pixel = y % op.block * op.block + x % op.block;
            const int plane = n * channels * op.pixels() + op.deep_channel(c, pixel, channels);
            const int row = plane * (height / op.block) + y / op.block;
            visit(at++, static_cast<std::size_t>(row * (width / op.block) + x / op.block));
          }
        }
      }
    }
  }

  Floats combined(kernels::Arithmetic arithmetic) {
    const auto planes_of = [&](std::size_t i) {
      const Shape& shape = graph_.shape(input_id(i));
      return reference::Planes{batch_, shape.channels, shape.height * shape.width};
    };
    return reference::combine(arithmetic, planes_of(0), input(0), planes_of(1), input(1),
                              kernels::FusedActivation::none);
  }

  /// Channel c of the result is the input's source(c).
  template <typename Source>
  Floats gathered(const Source& source) {
    std::vector<int> sources;
    for (int c = 0; c < graph_.shape(node_).channels; ++c) sources.push_back(source(c));
    return reference::gather_channels({batch_, input_shape().channels, pixels()}, input(), sources);
  }

  kernels::WindowArgs window(const Window& w) const {
    return window_over(w, input_shape(), graph_.shape(node_));
  }

  NodeId input_id(std::size_t i) const { return graph_.node(node_).inputs[i]; }
  const Floats& input(std::size_t i = 0) const { return values_[input_id(i)]; }
  const Shape& input_shape() const { return graph_.shape(input_id(0)); }
  int planes() const { return batch_ * input_shape().channels; }
  int pixels() const { return graph_.shape(node_).height * graph_.shape(node_).width; }
  const Floats& array(const char* name) const {
    return weights_.at(parameter_name(graph_.node(node_), name)).values;
  }

  const Graph& graph_;
  const Weights& weights_;
  std::span<const float> images_;  ///< of the inputs that were not computed yet
  int batch_;
  NodeId node_ = 0;
  std::vector<Floats> values_;  ///< by node, of those before node_
};

}  // namespace

Result<std::vector<float>> reference_run(const Network& network, std::span<const float> images, int batch) {
  return Interpreter(network, images, batch).run();
}

Result<std::vector<float>> reference_run(const Network& network, const Subnet& subnet, const Weights& own,
                                         std::span<const float> images, int batch) {
  return reference_run(extract(network, subnet, own), scaled_images(network.graph, subnet, images, batch),
                       batch);
}

std::vector<float> scaled_images(const Graph& graph, const Subnet& subnet, std::span<const float> images,
                                 int batch) {
  const Floats all(images.begin(), images.end());
  if (subnet.resolution == 0) return all;
  const Shape from = graph.shape(graph.input()), to = scaled(from, subnet.resolution);
  return reference::scale_planes(all, batch * from.channels, from.height, from.width, to.height, to.width);
}

}  // namespace concertina::runtime
