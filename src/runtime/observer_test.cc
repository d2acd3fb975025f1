#include "runtime/observer.h"

#include <gtest/gtest.h>

#include <map>

#include "graph/branches.h"
#include "runtime/reference_interpreter.h"
#include "testing/models.h"
#include "testing/sampled_graphs.h"

// The observer shows of every node what the reference interpreter computes.
namespace concertina::runtime {
namespace {

using testing::Floats;

constexpr int kObserved = 2;  // images

// The bound of parity_test.cc.
constexpr double kObservedBound = 3e-6;

using ValuesByName = std::map<std::string, Floats>;

/// What an output depends on.
std::vector<bool> needed_nodes(const Graph& graph) {
  std::vector<bool> needed(static_cast<std::size_t>(graph.size()));
  for (const NodeId output : graph.outputs()) needed[output] = true;
  for (NodeId id = graph.size() - 1; id >= 0; --id) {
    if (!needed[id]) continue;
    for (const NodeId input : graph.node(id).inputs) needed[input] = true;
  }
  return needed;
}

/// Of the network with an output at every node that an output depends on.
ValuesByName wanted_values(const Network& network, const Floats& images) {
  const Graph& graph = network.graph;
  const std::vector<bool> live = needed_nodes(graph);
  ValuesByName values;
  std::vector<NodeId> ids;
  auto image = images.begin();
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (id >= graph.inputs()) {
      if (live[id]) ids.push_back(id);
      continue;
    }
    const auto end = image + kObserved * graph.shape(id).elements();
    if (live[id]) values[graph.node(id).name] = {image, end};
    image = end;
  }
  const auto open = Graph::make({graph.nodes().begin(), graph.nodes().end()}, ids);
  EXPECT_TRUE(open) << open.error().message;
  const auto all = reference_run({*open, network.weights}, images, kObserved);
  EXPECT_TRUE(all) << all.error().message;
  auto at = all->begin();
  for (const NodeId id : ids) {
    const auto end = at + kObserved * graph.shape(id).elements();
    values[graph.node(id).name] = {at, end};
    at = end;
  }
  return values;
}

ValuesByName seen_values(const onnx::ModelFile& file, int subnet, const Floats& images, int threads) {
  auto observer = Observer::make(file, subnet, kObserved, threads);
  EXPECT_TRUE(observer) << observer.error().message;
  ValuesByName seen;
  const Status status = observer->run(images, kObserved, [&](NodeId node, std::span<const float> values) {
    const bool first =
        seen.emplace(file.network.graph.node(node).name, Floats{values.begin(), values.end()}).second;
    EXPECT_TRUE(first) << "node " << node << " was seen twice";
  });
  EXPECT_TRUE(status) << status.error().message;
  return seen;
}

class ObserverTest : public ::testing::TestWithParam<testing::NamedGraph> {};

/// The largest and the smallest, then without what can be absent, then at lower resolutions.
std::vector<Subnet> observed_subnets(const Graph& graph) {
  std::vector<Subnet> subnets = testing::nested_subnets(graph, 3);
  if (subnets.size() > 2) subnets.erase(subnets.begin() + 1, subnets.end() - 1);
  for (Subnet& subnet : testing::leaving_out_branches(graph, subnets.back()))
    subnets.push_back(std::move(subnet));
  for (Subnet& subnet : testing::at_lower_resolutions(graph, subnets.back()))
    subnets.push_back(std::move(subnet));
  return subnets;
}

TEST_P(ObserverTest, ShowsEveryNodeOfEverySubnet) {
  const Graph graph = GetParam().graph();
  const onnx::ModelFile file = testing::model_file(graph, observed_subnets(graph));
  const Floats images = testing::random_images(*testing::load(file), kObserved);
  for (int i = 0; i < static_cast<int>(file.subnets.size()); ++i) {
    const auto& [subnet, own] = std::tie(file.subnets[i].subnet, file.subnets[i].own);
    SCOPED_TRACE(to_string(subnet));
    const ValuesByName wanted =
        wanted_values(extract(file.network, subnet, own), scaled_images(graph, subnet, images, kObserved));
    const ValuesByName seen = seen_values(file, i, images, 1 + i % 2);
    EXPECT_EQ(seen.size(), wanted.size());
    for (const auto& [name, values] : wanted) {
      SCOPED_TRACE(name);
      ASSERT_TRUE(seen.contains(name));
      EXPECT_LE(testing::relative_error(seen.at(name), values), kObservedBound);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ObserverTest, ::testing::ValuesIn(testing::sampled_graphs()),
                         testing::name_of_graph);

TEST(Observer, NodesComeAfterThoseThatTheyRead) {
  const Graph graph = testing::every_op();
  const onnx::ModelFile file = testing::random_model(graph, 1);
  const Floats images(static_cast<std::size_t>(input_elements(graph)), 0.5F);
  auto observer = Observer::make(file, 0, 1, 1);
  std::vector<bool> seen(static_cast<std::size_t>(graph.size()));
  const auto visit = [&](NodeId node, std::span<const float>) {
    for (const NodeId input : graph.node(node).inputs) EXPECT_TRUE(seen[input]) << graph.node(node).name;
    seen[node] = true;
  };
  EXPECT_TRUE(observer->run(images, 1, visit));
}

TEST(Observer, RefusesWhatDoesNotFit) {
  const onnx::ModelFile file = testing::random_model(testing::toy(), 2);
  EXPECT_EQ(Observer::make(file, 2, 1, 1).error().message,
            "there is no sub-net number 2; the model has 0 to 1");
  auto observer = Observer::make(file, 1, 2, 1);
  const Floats images(static_cast<std::size_t>(3 * input_elements(file.network.graph)));
  const auto visit = [](NodeId, std::span<const float>) { FAIL(); };
  EXPECT_EQ(observer->run(images, 3, visit).error().message,
            "a batch of 3 does not fit; it may have 1 to 2 images");
  EXPECT_NE(observer->run(images, 2, visit).error().message.find("floats of images where a batch of 2 has"),
            std::string::npos);
}

}  // namespace
}  // namespace concertina::runtime
