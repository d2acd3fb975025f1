// Any bytes as an ONNX file: plain, as a model, and as a model whose checksum fits, which lets mutants
// through to the readers behind it. Whatever is accepted must be sound and must survive being written and
// read again.

#include <cstdint>
#include <cstdlib>

#include "onnx/check.h"
#include "onnx/graph_from_onnx.h"
#include "onnx/model_file.h"
#include "onnx/network_file.h"
#include "onnx/onnx_file.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check_round_trip(const concertina::onnx::ModelFile& model) {
  require(concertina::onnx::check_model(model).ok());
  const auto bytes = concertina::onnx::serialize_model(model);
  if (!bytes) return;  // names that ONNX forbids
  const auto again = concertina::onnx::parse_model(*bytes);
  require(again.ok() && again->network.graph == model.network.graph && again->subnets == model.subnets);
  for (const auto& record : model.subnets) (void)concertina::onnx::export_subnet(model, record.subnet);
}

/// Protobuf's own parser is the reference.
void check_parser(const std::string& bytes) {
  concertina::onnx::ModelProto wanted;
  concertina::onnx::OnnxFile file;
  const bool read = concertina::onnx::parse_in_place(bytes, file);
  require(read == wanted.ParsePartialFromString(bytes));
  if (!read) return;
  require(static_cast<int>(file.raw_data.size()) == wanted.graph().initializer_size());
  for (int i = 0; i < wanted.graph().initializer_size(); ++i) {
    require(wanted.graph().initializer(i).raw_data() == file.raw_data[i]);
    wanted.mutable_graph()->mutable_initializer(i)->clear_raw_data();
  }
  require(wanted.SerializePartialAsString() == file.model.SerializePartialAsString());
}

/// Nodes that are not understood may stay; what can be written is read again as it was.
void check_import(const std::string& bytes) {
  concertina::onnx::OnnxFile file;
  if (!concertina::onnx::parse_in_place(bytes, file)) return;
  const auto imported = concertina::onnx::from_onnx(
      file, {.most_values = static_cast<std::int64_t>(bytes.size()), .import = {.opaque = true}});
  if (!imported || !concertina::onnx::check_network(imported->network)) return;
  const auto written = concertina::onnx::serialize_network(imported->network);
  if (!written) return;
  const auto again = concertina::onnx::parse_network(*written);
  require(again.ok() && again->graph == imported->network.graph);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  check_parser(bytes);
  check_import(bytes);
  if (const auto network = concertina::onnx::parse_network(bytes)) {
    require(concertina::onnx::check_network(*network).ok());
    (void)concertina::onnx::serialize_static(*network);
  }
  (void)concertina::onnx::parse_model(bytes);
  for (const int format : {2, concertina::onnx::kModelFormat}) {
    if (const auto model = concertina::onnx::parse_model(concertina::onnx::seal(bytes, format)))
      check_round_trip(*model);
  }
  return 0;
}
