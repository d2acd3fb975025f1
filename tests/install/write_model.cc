// Writes the model that the examples run in tests/install/install.sh: write_model FILE.onnx

#include <cstdio>

#include "graph/networks/networks.h"
#include "onnx/model_file.h"
#include "testing/models.h"

int main(int argc, char** argv) {
  using namespace concertina;
  if (argc != 2) return 2;
  const Graph graph = *make_network({.name = "resnet8", .input = {3, 32, 32}, .classes = 10});
  const Status written = onnx::write_model(argv[1], concertina::testing::random_model(graph, 4));
  if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
  return written ? 0 : 1;
}
