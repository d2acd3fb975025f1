#pragma once

#include <string>
#include <vector>

namespace concertina::report {

/// A part of what a node makes: so many features of one dimension.
struct PictureSegment {
  int dimension = 0;
  int features = 0;
};

struct PictureNode {
  std::string name;
  std::string kind;   ///< "Conv"
  std::string shape;  ///< "64x8x8"
  std::vector<int> inputs;
  std::vector<PictureSegment> segments;
};

struct PictureDimension {
  std::string name;
  int channels = 0;
  bool locked = false;
  double share = 0;  ///< of the network's multiply-accumulates that are at stake, 0 .. 1
  std::vector<std::string> reasons;
};

/// A network as its channels go: nodes from top to bottom in the order of their indices, the connections that
/// skip others as arcs, a bar for the channels of each, coloured by dimension.
struct NetworkPicture {
  std::string title;
  std::vector<PictureNode> nodes;
  std::vector<PictureDimension> dimensions;
};

/// One HTML page that needs nothing else. Preconditions: inputs name nodes before, segments name dimensions.
std::string to_html(const NetworkPicture& picture);

}  // namespace concertina::report
