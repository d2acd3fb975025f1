#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "concertina/session.h"
#include "onnx/model_file.h"
#include "runtime/model_impl.h"
#include "testing/onnx_models.h"

/// Models for the tests of the runtime and what they compare.
namespace concertina::testing {

using Floats = std::vector<float>;

struct NamedGraph {
  std::string name;
  Graph graph;

  friend void PrintTo(const NamedGraph& net, std::ostream* out) { *out << net.name; }
};

/// The built-in networks at small widths, and networks made to be awkward.
std::vector<NamedGraph> test_graphs();
Graph resnet8();

/// Branches of odd widths, concatenated, nested concatenations, depthwise convolutions over several segments
/// with and without a multiplier, a convolution that adds its own input, a flatten of 3 x 3 maps.
Graph branches();

/// What locks channels: grouped convolutions over one and two segments, a softmax over two, sums of
/// differently cut axes.
Graph locked();

/// Blocks that networks in use are made of, each with something odd: squeeze-and-excitation twice (the second
/// through vectors), an up-sampling decoder whose output is a map, grouped convolutions with and without a
/// multiplier, ShuffleNet V2 units, a dense block, attention over channels, pixels and all.
Graph squeeze_excite();
Graph unet();
Graph resnext();
Graph shufflenet();
Graph densenet();
Graph attention();

/// Every padding, constants for each channel, the functions that no convolution applies, dilated windows.
Graph pads();

/// Two inputs; four outputs, of which two are read and one is another under a second name.
Graph two_ends();

/// Layers of which others read parts, so that their channels have several dimensions.
Graph cut();

/// Slices and shuffles across what cannot be cut.
Graph cut_across();

/// Sums of locked channels that are cut in different ways, after layers that could have added themselves.
Graph unlike_sums();

/// `count` nested sub-nets, the last a little above a third of the width; most widths are no whole vectors.
std::vector<Subnet> nested_subnets(const Graph& graph, int count);

/// Random weights, and random statistics for each sub-net.
onnx::ModelFile model_file(const Graph& graph, const std::vector<Subnet>& subnets);

inline std::shared_ptr<const Model> load(const onnx::ModelFile& file, const ModelOptions& options = {}) {
  auto model = runtime::make_model(file, options);
  EXPECT_TRUE(model) << model.error().message;
  return std::move(model).value();
}

Floats random_images(const Model& model, int batch);

/// A run that has to succeed.
Floats run(Session& session, const Floats& images, int batch, int subnet);

/// Of a new session with these options.
Floats run_alone(std::shared_ptr<const Model> model, const SessionOptions& options, const Floats& images,
                 int batch, int subnet);

/// The largest difference as a share of the largest wanted value.
double relative_error(const Floats& got, const Floats& wanted);

}  // namespace concertina::testing
