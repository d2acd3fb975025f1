#include "onnxruntime/peer.h"

#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "onnx/rank.h"

namespace concertina {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = CONCERTINA_ONNXRUNTIME_DIR;

}  // namespace

void Peer::SetUp() {
  if (!fs::exists(kFolder / "node_modules" / "onnxruntime-node") ||
      std::system("node --version >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "ONNX Runtime is not installed; run 'npm install --ignore-scripts' in " << kFolder;
  }
}

Peer::Shapes Peer::input_shapes(const Graph& graph, int batch) {
  const std::vector<int> ranks = onnx::value_ranks(graph).value();
  Shapes shapes;
  for (NodeId id = 0; id < graph.inputs(); ++id) {
    shapes.push_back(onnx::onnx_shape(graph.shape(id), ranks[id], batch));
  }
  return shapes;
}

void Peer::set_images(const std::string& name, const Floats& images, const Shapes& shapes) {
  images_ = (folder_ / (name + ".f32")).string();
  shapes_ = shapes;
  const auto* bytes = reinterpret_cast<const char*>(images.data());
  ASSERT_TRUE(write_file(images_, {bytes, images.size() * sizeof(float)}));
}

void Peer::ask(const std::string& name, const std::string& bytes, bool keep_optimized) {
  jobs_.push_back({{"model", folder_.write(name + ".onnx", bytes).string()},
                   {"input", images_},
                   {"shapes", shapes_},
                   {"output", (folder_ / (name + ".out")).string()}});
  if (keep_optimized) jobs_.back()["optimized"] = (folder_ / (name + ".optimized")).string();
}

void Peer::run_all() {
  const fs::path jobs = folder_.write("jobs.json", jobs_.dump());
  const std::string command =
      "node '" + (kFolder / "run.mjs").string() + "' '" + jobs.string() + "' >/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

Peer::Floats Peer::answer(const std::string& name) const {
  const std::string bytes = *read_file(folder_ / (name + ".out"));
  Floats values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

std::string Peer::optimized(const std::string& name) const {
  return *read_file(folder_ / (name + ".optimized"));
}

}  // namespace concertina
