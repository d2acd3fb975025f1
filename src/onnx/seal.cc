#include "onnx/seal.h"

#include <fmt/format.h>

#include "onnx_subset.pb.h"

namespace concertina {
namespace {

std::string entry(std::string_view content) {
  onnx::ModelProto model;
  onnx::StringStringEntryProto& checksum = *model.add_metadata_props();
  checksum.set_key("concertina.checksum");
  checksum.set_value(fmt::format("{:016x}", fnv1a(content)));
  return model.SerializeAsString();
}

}  // namespace

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

std::string seal(std::string model) {
  model += entry(model);
  return model;
}

bool is_sealed(std::string_view bytes) {
  const std::size_t length = entry("").size();
  return bytes.size() >= length && bytes.ends_with(entry(bytes.substr(0, bytes.size() - length)));
}

}  // namespace concertina
