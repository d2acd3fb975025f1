#include "models.h"

#include "base/try.h"
#include "graph/channel_groups.h"
#include "onnx/testing.h"

namespace concertina::bench {
namespace {

constexpr int kGroups = 8;

Subnet uneven_subnet(const ChannelGroups& groups) {
  Subnet subnet;
  const int last = groups.dimensions() - 1;
  for (int d = 0; d <= last; ++d) {
    const int kept = 4 + (2 * d + d % 2) / std::max(last, 1);
    subnet.widths.push_back(groups.width(d, std::min(kept, 6)));
  }
  return subnet;
}

}  // namespace

std::vector<Case> all_cases() {
  return {{.network = "resnet18", .batches = {1, 8}},
          {.network = "mobilenet_v1", .batches = {1, 8}},
          {.network = "vgg11", .batches = {1, 8}},
          {.network = "resnet20", .size = 32, .classes = 10, .batches = {1, 8, 128}},
          {.network = "resnet56", .size = 32, .classes = 10, .batches = {1, 8, 128}},
          {.network = "vgg11", .size = 32, .classes = 10, .batches = {1, 8, 128}}};
}

Result<BenchModel> make_bench_model(const Case& c) {
  CONCERTINA_ASSIGN(const Graph graph,
                    make_network({.name = c.network, .input = {3, c.size, c.size}, .classes = c.classes}));
  CONCERTINA_ASSIGN(const ChannelGroups groups, divide_channels(graph, kGroups));
  BenchModel model{.file = testing::random_model(graph, 1), .subnets = {}};
  model.subnets = {{"x1", full_subnet(graph)},
                   {"x0.75", uniform_subnet(groups, 6)},
                   {"uneven", uneven_subnet(groups)},
                   {"x0.5", uniform_subnet(groups, 4)},
                   {"x0.25", uniform_subnet(groups, 2)}};
  for (std::size_t i = 1; i < model.subnets.size(); ++i) {
    const Subnet& subnet = model.subnets[i].subnet;
    model.file.subnets.push_back({.subnet = subnet,
                                  .own = testing::random_statistics(graph, subnet, i + 1),
                                  .validation_accuracy = 0.5,
                                  .test_accuracy = {}});
  }
  CONCERTINA_TRY(check_model(model.file));
  return model;
}

Result<BenchModel> read_bench_model(const std::string& path) {
  CONCERTINA_ASSIGN(ModelFile file, read_model(path));
  BenchModel model{.file = std::move(file), .subnets = {}};
  for (const SubnetRecord& record : model.file.subnets) {
    model.subnets.push_back({std::to_string(model.subnets.size()), record.subnet});
  }
  return model;
}

}  // namespace concertina::bench
