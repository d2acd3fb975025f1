#include "models.h"

#include <fmt/format.h>

#include "base/try.h"
#include "graph/channel_groups.h"
#include "graph/networks/networks.h"
#include "graph/random_weights.h"
#include "onnx/check.h"
#include "structures.h"

namespace concertina::bench {
namespace {

constexpr int kGroups = 8;

Result<Graph> graph_of(const Case& c) {
  // First, because make_network() takes "resnet50" for one of its own, of three stages.
  if (is_structure(c.network)) return make_structure(c.network, c.size, c.classes);
  return make_network({.name = c.network, .input = {3, c.size, c.size}, .classes = c.classes});
}

Subnet uneven_subnet(const ChannelGroups& groups) {
  Subnet subnet;
  const int last = groups.dimensions() - 1;
  for (int d = 0; d <= last; ++d) {
    const int kept = 4 + (2 * d + d % 2) / std::max(last, 1);
    subnet.widths.push_back(groups.width(d, std::min(kept, 6)));
  }
  return subnet;
}

Result<std::vector<NamedSubnet>> subnets_of(const Case& c, const Graph& graph) {
  std::vector<NamedSubnet> subnets;
  for (const std::string& widths : c.chain) {
    ASSIGN_OR_RETURN(Subnet subnet, parse_subnet(widths));
    subnets.push_back({std::to_string(subnets.size()), std::move(subnet)});
  }
  if (!subnets.empty()) return subnets;
  ASSIGN_OR_RETURN(const ChannelGroups groups, divide_channels(graph, kGroups));
  for (const int eighths : c.eighths) {
    if (eighths == 4 && c.uneven) subnets.push_back({"uneven", uneven_subnet(groups)});
    subnets.push_back({fmt::format("x{}", eighths / double{kGroups}), uniform_subnet(groups, eighths)});
  }
  return subnets;
}

}  // namespace

std::vector<Case> all_cases() {
  std::vector<Case> cases = {
      {.network = "resnet18", .batches = {1, 8}, .eighths = {8, 7, 6, 4, 3, 2, 1}},
      {.network = "mobilenet_v1", .batches = {1, 8}},
      {.network = "vgg11", .batches = {1, 8}},
      {.network = "resnet20", .size = 32, .classes = 10, .batches = {1, 8, 128}},
      {.network = "resnet56", .size = 32, .classes = 10, .batches = {1, 8, 128}},
      {.network = "vgg11", .size = 32, .classes = 10, .batches = {1, 8, 128}},
      // What a search found: docs/results/cifar10-resnet20-budget12-seeds, seed 1.
      {.network = "resnet20",
       .size = 32,
       .classes = 10,
       .batches = {1, 8, 128},
       .chain = {"16-16-16-16-32-32-32-32-64-64-64-64", "14-10-12-4-24-32-20-16-56-64-64-64",
                 "14-6-4-4-16-28-16-12-56-56-64-48", "12-6-4-4-8-28-8-12-40-56-32-24",
                 "12-4-2-2-8-24-8-8-32-48-16-24", "10-4-2-2-8-16-4-8-16-48-16-16",
                 "6-2-2-2-8-16-4-8-16-48-8-8", "4-2-2-2-4-16-4-4-8-48-8-8"},
       .name = "resnet20-searched"}};
  for (const std::string& name : structure_names()) {
    cases.push_back({.network = name, .classes = name == "unet" ? 2 : 1000, .batches = {1}, .uneven = false});
  }
  return cases;
}

Result<BenchModel> make_bench_model(const Case& c) {
  ASSIGN_OR_RETURN(const Graph graph, graph_of(c));
  ASSIGN_OR_RETURN(std::vector<NamedSubnet> subnets, subnets_of(c, graph));
  BenchModel model{.file = {.network = {graph, random_weights(graph)},
                            .subnets = {},
                            .preprocessing = {{0, 0, 0}, {1, 1, 1}},
                            .classes = {}},
                   .subnets = std::move(subnets)};
  const bool gives_map = graph.shape(graph.output()).height > 1;
  for (int i = 0; i < c.classes && !gives_map; ++i) model.file.classes.push_back(std::to_string(i));
  for (const NamedSubnet& named : model.subnets) {
    std::vector<onnx::SubnetRecord>& records = model.file.subnets;
    records.push_back({.subnet = named.subnet,
                       .own = random_statistics(graph, named.subnet, records.size() + 1),
                       .test_accuracy = {}});
  }
  for (const auto& [name, array] : model.file.subnets[0].own) model.file.network.weights.at(name) = array;
  RETURN_IF_ERROR(onnx::check_model(model.file));
  return model;
}

Result<BenchModel> read_bench_model(const std::string& path) {
  ASSIGN_OR_RETURN(onnx::ModelFile file, onnx::read_model(path));
  BenchModel model{.file = std::move(file), .subnets = {}};
  for (const onnx::SubnetRecord& record : model.file.subnets) {
    model.subnets.push_back({std::to_string(model.subnets.size()), record.subnet});
  }
  return model;
}

}  // namespace concertina::bench
