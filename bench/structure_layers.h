#pragma once

#include <string>
#include <vector>

#include "graph/networks/layers.h"

namespace concertina::bench {

enum class Nonlinearity { relu, relu6, hard_swish, silu };

/// Squeeze-and-excitation (Hu et al. 2018): each channel is multiplied by a gate that depends on the means of
/// all.
struct Excitation {
  int squeezed = 0;  ///< channels between the two convolutions; 0: there is none
  Nonlinearity nonlinearity = Nonlinearity::relu;
  op::Activation gate = op::activation(op::Function::sigmoid);
};

/// The builder of the built-in networks, with the layers that those do without.
class StructureLayers : public networks::Layers {
 public:
  explicit StructureLayers(const Shape& image) { add_input("input", image); }

  int channels(NodeId x) const { return shape(x).channels; }

  /// SiLU is x times its sigmoid, two nodes, as exporters write it.
  NodeId activate(const std::string& name, NodeId x, Nonlinearity nonlinearity);
  NodeId conv_bn_activate(const std::string& name, NodeId x, int out_channels, Window window, int groups,
                          Nonlinearity nonlinearity);
  /// A norm that follows no convolution.
  NodeId bn_relu(const std::string& name, NodeId x);
  NodeId excite(const std::string& name, NodeId x, const Excitation& excitation);
  /// Over the channels of each pixel.
  NodeId layer_norm(const std::string& name, NodeId x);
  /// A factor for each channel.
  NodeId scale(const std::string& name, NodeId x);
  /// Twice the rows and columns, by a transposed 2x2 convolution of stride 2.
  NodeId upsample(const std::string& name, NodeId x, int out_channels);
  NodeId average_pool(const std::string& name, NodeId x, Window window);
  NodeId global_pool(const std::string& name, NodeId x) { return add(name, op::GlobalAveragePool{}, {x}); }
  NodeId sum(const std::string& name, NodeId a, NodeId b) { return add(name, op::Add{}, {a, b}); }
  NodeId concat(const std::string& name, std::vector<NodeId> inputs) {
    return add(name, op::Concat{}, std::move(inputs));
  }
  NodeId slice(const std::string& name, NodeId x, int begin, int end);
  NodeId shuffle(const std::string& name, NodeId x, int groups);
};

}  // namespace concertina::bench
