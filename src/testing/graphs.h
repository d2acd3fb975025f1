#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace concertina::testing {

/// A small network for tests. It is made where it is used: a test that starts does not pay for all others.
struct NamedGraph {
  std::string name;
  std::function<Graph()> graph;
  bool shrinks = true;  ///< some of its channels can be left out

  friend void PrintTo(const NamedGraph& net, std::ostream* out) { *out << net.name; }
};

/// Small networks for each op and structure that a graph can hold beyond those of the built-in networks, with
/// odd numbers of channels and pixels. The trainer and the runtime compute each of them.
std::vector<NamedGraph> structures();

/// The built-in networks at small widths, and structures().
std::vector<NamedGraph> test_graphs();

/// For INSTANTIATE_TEST_SUITE_P over such a list.
inline constexpr auto name_of_graph = [](const auto& test) { return test.param.name; };

Graph resnet8();

/// The sub-net without one branch after the other, as far as that goes; none of them is the sub-net itself.
std::vector<Subnet> leaving_out_branches(const Graph& graph, Subnet subnet);

/// The sub-net at a pixel less than the image has, and at the first and the last of resolutions(), in falling
/// order; those that the network can run at.
std::vector<Subnet> at_lower_resolutions(const Graph& graph, const Subnet& subnet);

/// Two convolutions, their sum, and a linear layer: for tests that read a model thousands of times.
Graph toy();

/// Every op that the first format of our files had: branches of different dimensions, concatenated,
/// normalised, added, flattened.
Graph every_op();

/// Branches of odd widths, concatenated, nested concatenations, depthwise convolutions over several segments
/// with and without a multiplier, a convolution that adds its own input, a flatten of 3 x 3 maps.
Graph branches();

/// What locks channels: grouped convolutions over one and two segments, a softmax over two, sums of
/// differently cut axes.
Graph locked();

/// Two inputs; four outputs, of which two are read and one is another under a second name.
Graph two_ends();

/// Two images, whose maps are added.
Graph two_images();

/// The first output comes before the second; a batch norm, a ReLU and what one output reads are outputs too.
Graph many_outputs();

/// Layers of which others read parts, so that their channels have several dimensions.
Graph cut();
Graph overlapping_slices();

/// Slices and shuffles across what cannot be cut.
Graph cut_across();

/// Sums of locked channels that are cut in different ways, after layers that could have added themselves.
Graph unlike_sums();

/// Blocks that networks in use are made of, each with something odd: squeeze-and-excitation twice (the second
/// through vectors), an up-sampling decoder whose output is a map, grouped convolutions with and without a
/// multiplier, ShuffleNet V2 units, a dense block, attention over channels, pixels and all.
Graph squeeze_excite();
Graph unet();
Graph resnext();
Graph shufflenet();
Graph densenet();
Graph attention();

/// A decoder of transposed convolutions: joined with what the encoder had at their size, depthwise, in
/// groups, dilated, with more padding on one side, with other strides in rows than in columns.
Graph transposed();

/// Channels that become pixels and pixels that become channels, in both orders, over one and several
/// segments, free and locked.
Graph blocks();

/// Every padding, constants for each channel, the functions that no convolution applies, dilated windows.
Graph pads();

/// Windows, paddings and strides that differ in rows and columns; constants for each feature of a vector.
Graph windows();

/// Means over dilated windows, which only later operator sets have.
Graph dilated_means();

/// Shortcuts without parameters: every other pixel, zeros as further channels on both sides and on one.
Graph padded_shortcuts();

/// Instance norm, group norm of several and of all channels, layer norm of a map's pixels and of a vector,
/// over one and two segments.
Graph group_norms();

/// A mask of pixels out of the mean and the largest of their channels, over one and two segments; local
/// response normalisation.
Graph across_channels();

/// Functions beyond those, on maps and on a vector, that only later operator sets have in part; a LogSoftmax.
Graph functions();

/// Shared arrays: two images through the same layers; a head on maps of two sizes with norms of its own for
/// each; layers that are applied several times in a row; the same weights with other biases, strides, and
/// channels that are cut in another way.
Graph siamese();
Graph shared_head();
Graph recurrent();
Graph shared_in_part();

}  // namespace concertina::testing
