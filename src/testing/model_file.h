#pragma once

#include <vector>

#include "onnx/model_file.h"

/// Model files of random weights.
namespace concertina::testing {

/// `count` sub-nets, the last of them with parameters of its own, each a little narrower than the one before.
onnx::ModelFile random_model(const Graph& graph, int count);

/// `count` nested sub-nets, the last a little above a third of the width; most widths are no whole vectors.
std::vector<Subnet> nested_subnets(const Graph& graph, int count);

/// These sub-nets, each with random statistics, every other one with parameters of its own.
onnx::ModelFile model_file(const Graph& graph, const std::vector<Subnet>& subnets);

}  // namespace concertina::testing
