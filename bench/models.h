#pragma once

#include <string>
#include <vector>

#include "onnx/model_file.h"

namespace concertina::bench {

/// A network to measure, with random weights: time does not depend on them.
struct Case {
  std::string network;  ///< of structure_names() or, if it is none of them, for make_network()
  int size = 224;       ///< height and width of its images
  int classes = 1000;
  std::vector<int> batches;
  std::vector<int> eighths = {8, 6, 4, 2};  ///< of the channels, in its uniform sub-nets
  bool uneven = true;                       ///< has a sub-net whose dimensions differ, too
  std::vector<std::string> chain = {};  ///< widths of other sub-nets, from large to small, instead of these
  std::string name = {};                ///< empty: the network's

  std::string title() const { return name.empty() ? network : name; }
};

/// The networks and batch sizes of the comparison.
std::vector<Case> all_cases();

/// Sub-nets of a model, from large to small.
struct NamedSubnet {
  std::string name;  ///< "x0.5", "uneven", or the number in a chain
  Subnet subnet;
};

struct BenchModel {
  onnx::ModelFile file;
  std::vector<NamedSubnet> subnets;  ///< those of the file, in its order
};

/// The case's sub-nets; among uniform ones, between 0.75 and 0.5, the uneven one: from half the channels at
/// the beginning to three quarters at the end. Fails if the network or a width is unknown.
Result<BenchModel> make_bench_model(const Case& c);

/// A model that concertina-train made; its sub-nets are named by their index.
Result<BenchModel> read_bench_model(const std::string& path);

}  // namespace concertina::bench
