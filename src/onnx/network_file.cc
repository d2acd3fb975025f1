#include "onnx/network_file.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/try.h"
#include "onnx/check.h"
#include "onnx/external_data.h"
#include "onnx/fold_batch_norm.h"
#include "onnx/graph_from_onnx.h"
#include "onnx/graph_to_onnx.h"
#include "onnx/onnx_file.h"
#include "onnx/write_onnx.h"

namespace concertina::onnx {

namespace {

Result<onnx::ModelProto> network_to_onnx(const Network& network) {
  RETURN_IF_ERROR(check_network(network));
  return to_onnx(network);
}

Result<onnx::ModelProto> static_to_onnx(const Network& network) {
  RETURN_IF_ERROR(check_network(network));
  const Network folded = fold_batch_norm(network);
  RETURN_IF_ERROR(check_weights(folded.graph, folded.weights));  // a product may have overflown
  return to_onnx(folded);
}

}  // namespace

Result<std::string> serialize_network(const Network& network) {
  ASSIGN_OR_RETURN(const onnx::ModelProto model, network_to_onnx(network));
  return serialize(model);
}

Result<std::string> serialize_static(const Network& network) {
  ASSIGN_OR_RETURN(const onnx::ModelProto model, static_to_onnx(network));
  return serialize(model);
}

Status write_network(const std::filesystem::path& path, const Network& network) {
  ASSIGN_OR_RETURN(onnx::ModelProto model, network_to_onnx(network));
  return write_onnx(path, std::move(model));
}

Status write_static(const std::filesystem::path& path, const Network& network) {
  ASSIGN_OR_RETURN(onnx::ModelProto model, static_to_onnx(network));
  return write_onnx(path, std::move(model));
}

Result<Network> parse_network(std::string_view bytes) {
  ASSIGN_OR_RETURN(const OnnxFile file, parse_onnx(bytes));
  ASSIGN_OR_RETURN(ImportedNetwork read,
                   from_onnx(file, {.most_values = static_cast<std::int64_t>(bytes.size())}));
  RETURN_IF_ERROR(check_network(read.network));
  return std::move(read.network);
}

Result<ImportedNetwork> import_network(const std::filesystem::path& path, const ImportOptions& options) {
  constexpr std::int64_t kMaxValues = std::int64_t{1} << 30;
  return read_as(path, [&](std::string_view bytes) -> Result<ImportedNetwork> {
    ASSIGN_OR_RETURN(OnnxFile file, parse_onnx(bytes));
    RETURN_IF_ERROR(read_external_data(path.parent_path(), file));
    ASSIGN_OR_RETURN(ImportedNetwork imported,
                     from_onnx(file, {.most_values = kMaxValues, .import = options}));
    RETURN_IF_ERROR(check_network(imported.network));
    return imported;
  });
}

Result<std::uint64_t> hash_network(const std::filesystem::path& path) {
  return read_as(path, [&](std::string_view bytes) -> Result<std::uint64_t> {
    ASSIGN_OR_RETURN(OnnxFile file, parse_onnx(bytes));
    RETURN_IF_ERROR(read_external_data(path.parent_path(), file));
    Hash hash;
    hash.add(bytes);
    for (const auto& [location, content] : file.external) hash.add(content.view());
    return hash.value();
  });
}

}  // namespace concertina::onnx
