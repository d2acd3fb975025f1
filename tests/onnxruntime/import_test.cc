
#include <algorithm>

#include "base/random.h"
#include "onnx/check.h"
#include "onnx/network_file.h"
#include "onnxruntime/peer.h"
#include "runtime/reference_interpreter.h"
#include "testing/exporter_files.h"
#include "testing/models.h"
#include "testing/temporary_folder.h"

// A network by another program: what is read of it computes what ONNX Runtime computes of the file, and so
// does every sub-net of the dynamic model that it becomes, in our runtime and exported.
namespace concertina {
namespace {

namespace fs = std::filesystem;
using testing::relative_error;

constexpr int kBatch = 2;
constexpr double kImportBound = 1e-5;  // of the largest output
constexpr double kSubnetBound = 1e-4;

class ImportedTest : public Peer, public ::testing::WithParamInterface<std::string> {
 protected:
  static Floats random_images(const Graph& graph) {
    const CounterRandom random(5);
    Floats images(static_cast<std::size_t>(kBatch * input_elements(graph)));
    for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(4 * random.uniform(i) - 2);
    return images;
  }

  /// [n][c][h][w] -> [n][h][w][c]
  static Floats pixels_first(const Floats& images, const Shape& shape) {
    Floats turned;
    const auto pixels = static_cast<std::size_t>(shape.height * shape.width);
    const auto channels = static_cast<std::size_t>(shape.channels);
    for (std::size_t n = 0; n < kBatch; ++n) {
      for (std::size_t p = 0; p < pixels; ++p) {
        for (std::size_t c = 0; c < channels; ++c) turned.push_back(images[(n * channels + c) * pixels + p]);
      }
    }
    return turned;
  }

  /// The imported network with `count` nested sub-nets, each with statistics of its own.
  static onnx::ModelFile dynamic_model(const Network& network, int count) {
    onnx::ModelFile file = testing::model_file(network.graph, testing::nested_subnets(network.graph, count));
    file.network.weights = network.weights;
    for (auto& [name, array] : file.subnets[0].own) array = network.weights.at(name);
    return file;
  }
};

TEST_P(ImportedTest, ComputesWhatTheFileSays) {
  const std::string bytes = concertina::testing::test_network(GetParam());
  const testing::TestFolder folder;
  const auto imported = onnx::import_network(folder.write("net.onnx", bytes));
  ASSERT_TRUE(imported) << imported.error().message;
  const Graph& graph = imported->network.graph;
  const Floats images = random_images(graph);
  const onnx::ModelFile file = dynamic_model(imported->network, 3);
  ASSERT_TRUE(onnx::check_model(file)) << onnx::check_model(file).error().message;

  if (concertina::testing::takes_pixels_first(GetParam())) {
    const auto [channels, height, width] = graph.shape(0);
    set_images("turned", pixels_first(images, graph.shape(0)), {{kBatch, height, width, channels}});
    ask("original", bytes);
    set_images("images", images, input_shapes(graph, kBatch));
  } else {
    set_images("images", images, input_shapes(graph, kBatch));
    ask("original", bytes);
  }
  ask("static", *onnx::serialize_static(imported->network));
  ask("model", *onnx::serialize_model(file));
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    const auto exported = onnx::export_subnet(file, file.subnets[i].subnet);
    ASSERT_TRUE(exported) << exported.error().message;
    ask("subnet" + std::to_string(i), *exported);
  }
  run_all();

  const Floats wanted = answer("original");
  EXPECT_LE(relative_error(*runtime::reference_run(imported->network, images, kBatch), wanted), kImportBound);
  EXPECT_LE(relative_error(answer("static"), wanted), kImportBound);
  EXPECT_LE(relative_error(answer("model"), wanted), kImportBound);
  const auto model = testing::load(file);
  auto session = Session::make(model, {.max_batch = kBatch}).value();
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    Floats outputs(static_cast<std::size_t>(kBatch * output_elements(graph)));
    const Status status = session.run(images, kBatch, static_cast<int>(i), outputs);
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_LE(relative_error(outputs, answer("subnet" + std::to_string(i))), kSubnetBound)
        << "sub-net " << to_string(file.subnets[i].subnet);
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ImportedTest, ::testing::ValuesIn(concertina::testing::test_networks()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace concertina
