#include "onnx/seal.h"

#define XXH_INLINE_ALL  // no library is needed at run time
#include <fmt/format.h>
#include <xxhash.h>

#include <cstdint>

#include "base/hash.h"
#include "onnx_subset.pb.h"

namespace concertina::onnx {
namespace {

std::string entry(std::uint64_t hash) {
  onnx::ModelProto model;
  onnx::StringStringEntryProto& checksum = *model.add_metadata_props();
  checksum.set_key("concertina.checksum");
  checksum.set_value(fmt::format("{:016x}", hash));
  return model.SerializeAsString();
}

std::uint64_t hash_of(std::string_view content, int format) {
  return format < 3 ? Hash().add(content).value() : XXH3_64bits(content.data(), content.size());
}

}  // namespace

std::string seal(std::string model, int format) {
  model += entry(hash_of(model, format));
  return model;
}

bool is_sealed(std::string_view bytes, int format) {
  const std::size_t length = entry(0).size();
  return bytes.size() >= length &&
         bytes.ends_with(entry(hash_of(bytes.substr(0, bytes.size() - length), format)));
}

}  // namespace concertina::onnx
