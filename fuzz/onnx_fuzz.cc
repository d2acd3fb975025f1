// Any bytes as an ONNX file: plain, as a model, and as a model whose checksum fits, which lets mutants
// through to the readers behind it. Whatever is accepted must be sound and must survive being written and
// read again.

#include <cstdint>
#include <cstdlib>

#include "onnx/model_file.h"
#include "onnx/network_file.h"
#include "onnx/seal.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check_round_trip(const concertina::ModelFile& model) {
  require(concertina::check_model(model).ok());
  const auto bytes = concertina::serialize_model(model);
  if (!bytes) return;  // names that ONNX forbids
  const auto again = concertina::parse_model(*bytes);
  require(again.ok() && again->network.graph == model.network.graph && again->subnets == model.subnets);
  for (const auto& record : model.subnets) (void)concertina::export_subnet(model, record.subnet);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (const auto network = concertina::parse_network(bytes)) {
    require(concertina::check_network(*network).ok());
    (void)concertina::serialize_static(*network);
  }
  (void)concertina::parse_model(bytes);
  if (const auto model = concertina::parse_model(concertina::seal(bytes))) check_round_trip(*model);
  return 0;
}
