// Writes the model and the cascade that the examples run in tests/install/install.sh:
// write_model FILE.onnx FILE.cascade.json

#include <cstdio>

#include "base/file.h"
#include "base/try.h"
#include "cascade/cascade.h"
#include "graph/networks/networks.h"
#include "onnx/model_file.h"
#include "testing/models.h"

namespace {

using namespace concertina;

Status write(const char* model_path, const char* cascade_path) {
  const Graph graph = *make_network({.name = "resnet8", .input = {3, 32, 32}, .classes = 10});
  const onnx::ModelFile file = concertina::testing::random_model(graph, 4);
  RETURN_IF_ERROR(onnx::write_model(model_path, file));
  ASSIGN_OR_RETURN(const auto model, Model::load(model_path));
  const cascade::Cascade cascade{.model = cascade::fingerprint(*model),
                                 .stages = {{.look = {.subnet = 3}, .blend = {}, .threshold = 0.5},
                                            {.look = {.subnet = 0}, .blend = {}}},
                                 .promise = {}};
  return write_file(cascade_path, cascade.to_json());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const Status written = write(argv[1], argv[2]);
  if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
  return written ? 0 : 1;
}
