#include "testing/models.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "graph/random_weights.h"
#include "onnx/check.h"
#include "runtime/observer.h"

namespace concertina::testing {
namespace {

/// Gives the sub-net its own batch norms and linear layers, instead of the shared ones.
void add_own_parameters(const Graph& graph, onnx::SubnetRecord& record, std::uint64_t seed) {
  record.own.merge(random_arrays(graph, record.subnet, seed, [](const Op& op, const Parameter& parameter) {
    return parameter.trainable &&
           (std::holds_alternative<op::BatchNorm>(op) || std::holds_alternative<op::Linear>(op));
  }));
}

}  // namespace

std::shared_ptr<const Model> load_rounded(const onnx::ModelFile& file, Precision precision) {
  const runtime::Packing wanted =
      precision == Precision::int8 ? runtime::Packing::int8 : runtime::Packing::bf16;
  runtime::KernelPolicy policy = runtime::default_kernels();
  policy.packings = [wanted](const Node&, const runtime::LayerFilter& filter) {
    const auto rounded = std::find(filter.packings.begin(), filter.packings.end(), wanted);
    return std::vector{rounded == filter.packings.end() ? filter.packings.front() : *rounded};
  };
  auto model = runtime::make_model(file, precision, policy);
  EXPECT_TRUE(model) << model.error().message;
  return std::move(model).value();
}

void calibrate(onnx::ModelFile& file, const Floats& images, int batch) {
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    auto observer = runtime::Observer::make(file, static_cast<int>(i), batch, 1);
    ASSERT_TRUE(observer) << observer.error().message;
    const auto note = [&](NodeId node, std::span<const float> values) {
      const auto [least, most] = std::ranges::minmax(values);
      Quantization form{.scale = most / 255};
      if (least < 0) form = {.scale = std::max(-least / 128, most / 127), .zero_point = 128};
      if (form.scale == 0) form.scale = 1;
      file.subnets[i].quantization[file.network.graph.node(node).name] = form;
    };
    const Status status = observer->run(images, batch, note);
    ASSERT_TRUE(status) << status.error().message;
  }
}

Floats random_images(const Model& model, int batch) {
  const CounterRandom random(3);
  Floats images(static_cast<std::size_t>(batch) * model.input_size());
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(4 * random.uniform(i) - 2);
  return images;
}

Floats run(Session& session, const Floats& images, int batch, int subnet) {
  Floats logits(static_cast<std::size_t>(batch) * session.model().output_size());
  const Status status = session.run(images, batch, subnet, logits);
  EXPECT_TRUE(status) << status.error().message;
  return logits;
}

Floats run_alone(std::shared_ptr<const Model> model, const SessionOptions& options, const Floats& images,
                 int batch, int subnet) {
  auto session = Session::make(std::move(model), options);
  EXPECT_TRUE(session) << session.error().message;
  return run(*session, images, batch, subnet);
}

double relative_error(const Floats& got, const Floats& wanted) {
  EXPECT_EQ(got.size(), wanted.size());
  double difference = 0;
  double largest = 0;
  for (std::size_t i = 0; i < std::min(got.size(), wanted.size()); ++i) {
    EXPECT_TRUE(std::isfinite(got[i])) << "at " << i;
    difference = std::max(difference, std::abs(static_cast<double>(got[i]) - wanted[i]));
    largest = std::max(largest, std::abs(static_cast<double>(wanted[i])));
  }
  return difference / largest;
}

onnx::ModelFile random_model(const Graph& graph, int count) {
  const Shape& output = graph.shape(graph.output());
  const auto channels = static_cast<std::size_t>(graph.shape(graph.input()).channels);
  onnx::ModelFile model{
      .network = {graph, random_weights(graph)},
      .subnets = {},
      .preprocessing = {std::vector<float>(channels, 0.4F), std::vector<float>(channels, 0.3F)},
      .classes = {}};
  Subnet subnet = full_subnet(graph);
  for (int i = 0; i < count; ++i) {
    model.subnets.push_back({.subnet = subnet,
                             .own = random_statistics(graph, subnet, static_cast<std::uint64_t>(i) + 1),
                             .validation_accuracy = 0.9 - i / 30.0,
                             .test_accuracy = {}});
    for (int& width : subnet.widths) width = std::max(1, width - 1);
  }
  if (count > 1) add_own_parameters(graph, model.subnets.back(), 77);
  for (int i = 0; i < onnx::kProbeImages * static_cast<int>(output_elements(graph)); ++i) {
    model.subnets.back().probe_logits.push_back(0.25F * static_cast<float>(i) - 1);
  }
  for (const auto& [name, array] : model.subnets[0].own) model.network.weights.at(name) = array;
  model.subnets[0].test_accuracy = 0.1 + 0.2;
  if (graph.outputs().size() > 1) {
    for (std::size_t i = 0; i < graph.outputs().size(); ++i)
      model.taught.push_back(
          {.distribution = i % 2 == 0, .weight = 0.1 * static_cast<double>(i + 1), .variance = 0.3});
  }
  const int classes = output.height * output.width == 1 ? output.channels : 0;  // maps have none
  for (int i = 0; i < classes; ++i) model.classes.push_back("Stra\u00dfe " + std::to_string(i));
  return model;
}

std::vector<Subnet> nested_subnets(const Graph& graph, int count) {
  std::vector<Subnet> subnets;
  const Subnet full = full_subnet(graph);
  for (int i = 0; i < count; ++i) {
    Subnet subnet = full;
    for (std::size_t d = 0; d < full.widths.size(); ++d) {
      // Not every dimension shrinks at once.
      const int steps = std::max(0, i - static_cast<int>(d % 2));
      subnet.widths[d] = std::max(1, full.widths[d] - full.widths[d] * steps * 2 / (3 * count) - (i > 0));
    }
    if (subnets.empty() || subnet != subnets.back()) subnets.push_back(subnet);
  }
  return subnets;
}

onnx::ModelFile model_file(const Graph& graph, const std::vector<Subnet>& subnets) {
  onnx::ModelFile file = random_model(graph, 1);
  for (std::size_t i = 1; i < subnets.size(); ++i) {
    file.subnets.push_back({.subnet = subnets[i],
                            .own = random_statistics(graph, subnets[i], i + 1),
                            .validation_accuracy = 0.5,
                            .test_accuracy = {}});
    if (i % 2 == 1) add_own_parameters(graph, file.subnets.back(), 100 + i);
  }
  const Status sound = onnx::check_model(file);
  EXPECT_TRUE(sound) << sound.error().message;
  return file;
}

}  // namespace concertina::testing
