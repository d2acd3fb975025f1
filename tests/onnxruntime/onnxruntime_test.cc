#include "graph/resolution.h"
#include "onnxruntime/peer.h"
#include "runtime/reference_interpreter.h"
#include "testing/models.h"

// Two runtimes that share no code, ONNX Runtime and ours, agree on the model file and on every export of it.
namespace concertina {
namespace {

using testing::Floats;

constexpr int kImages = 2;
constexpr double kBound = 1e-4;  // of the largest logit

class OnnxRuntimeTest : public Peer, public ::testing::WithParamInterface<testing::NamedGraph> {};

TEST_P(OnnxRuntimeTest, AgreesOnTheModelAndOnEverySubnet) {
  const Graph graph = GetParam().graph();
  std::vector<Subnet> subnets = testing::nested_subnets(graph, 3);
  for (Subnet& subnet : testing::leaving_out_branches(graph, subnets.back()))
    subnets.push_back(std::move(subnet));
  for (Subnet& subnet : testing::at_lower_resolutions(graph, subnets.back()))
    subnets.push_back(std::move(subnet));
  const onnx::ModelFile file = testing::model_file(graph, subnets);
  const std::string bytes = *onnx::serialize_model(file);
  const auto model = Model::parse(bytes);
  ASSERT_TRUE(model) << model.error().message;
  const Floats images = testing::random_images(**model, kImages);
  set_images("images", images, input_shapes(graph, kImages));

  ask("model", bytes);
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    const auto exported = onnx::export_subnet(file, file.subnets[i].subnet);
    ASSERT_TRUE(exported) << exported.error().message;
    if (const Subnet& subnet = file.subnets[i].subnet; subnet.resolution > 0) {
      set_images("images@" + std::to_string(subnet.resolution),
                 runtime::scaled_images(graph, subnet, images, kImages),
                 input_shapes(*at_resolution(graph, subnet.resolution), kImages));
    }
    ask("subnet" + std::to_string(i), *exported);
  }
  run_all();

  auto session = Session::make(*model, {.max_batch = kImages}).value();
  double worst = testing::relative_error(testing::run(session, images, kImages, 0), answer("model"));
  EXPECT_LE(worst, kBound) << "the model file, as it is";
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    const Floats logits = testing::run(session, images, kImages, static_cast<int>(i));
    const double error = testing::relative_error(logits, answer("subnet" + std::to_string(i)));
    EXPECT_LE(error, kBound) << "sub-net " << to_string(file.subnets[i].subnet);
    worst = std::max(worst, error);
  }
  RecordProperty("worst_error", std::to_string(worst * 1e9) + "e-9");
}

INSTANTIATE_TEST_SUITE_P(Networks, OnnxRuntimeTest, ::testing::ValuesIn(testing::test_graphs()),
                         testing::name_of_graph);

}  // namespace
}  // namespace concertina
