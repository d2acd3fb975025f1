#pragma once

#include <vector>

#include "graph/graph.h"

/// Elastic resolution: a network that pools over all pixels computes with the same weights on a smaller
/// image.
namespace concertina {

/// The shape of an image that is scaled until its shorter side has so many pixels; the other one keeps the
/// ratio, to the nearest pixel. 0: the image as it is.
Shape scaled(const Shape& image, int resolution);

/// The graph with maps for images of this resolution; nodes, their numbers and the dimensions are the same.
/// Fails if the network cannot run so: it has several inputs, its outputs would change their shapes, or an
/// op needs its map's size. The sentence says what, and what to do.
Result<Graph> at_resolution(const Graph& graph, int resolution);

/// The resolutions below the full one, falling, that a search tries, from a quarter of the image on:
/// multiples of what the network divides the shorter side by, so that no layer rounds it up. None if it
/// cannot run at other resolutions than its own.
std::vector<int> resolutions(const Graph& graph);

/// Fails, with the reason, if there are none.
Status check_resolutions(const Graph& graph);

/// The sub-net at this share of the full resolution, or at the one of resolutions() nearest to it.
Subnet keep_resolution(const Graph& graph, const Subnet& subnet, double share);

}  // namespace concertina
