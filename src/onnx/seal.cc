#include "onnx/seal.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "onnx_subset.pb.h"

namespace concertina {
namespace {

std::string entry(std::string_view content) {
  onnx::ModelProto model;
  onnx::StringStringEntryProto& checksum = *model.add_metadata_props();
  checksum.set_key("concertina.checksum");
  checksum.set_value(fmt::format("{:016x}", Hash().add(content).value()));
  return model.SerializeAsString();
}

}  // namespace

std::string seal(std::string model) {
  model += entry(model);
  return model;
}

bool is_sealed(std::string_view bytes) {
  const std::size_t length = entry("").size();
  return bytes.size() >= length && bytes.ends_with(entry(bytes.substr(0, bytes.size() - length)));
}

}  // namespace concertina
