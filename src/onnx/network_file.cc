#include "onnx/network_file.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/file.h"
#include "base/text.h"
#include "base/try.h"
#include "onnx/fold_batch_norm.h"
#include "onnx/graph_from_onnx.h"
#include "onnx/graph_to_onnx.h"
#include "onnx/metadata.h"
#include "onnx/parse_onnx.h"
#include "onnx/seal.h"

namespace concertina::onnx {
namespace {

Result<int> read_format(std::string_view format) {
  const int number = parse_number<int>(format).value_or(0);
  if (number < 1) {
    return Error{fmt::format("the model's format '{}' is not a number; the file is damaged", format)};
  }
  if (number > kModelFormat) {
    return Error{
        fmt::format("the model has format {}, but this version reads formats up to {}; update Concertina",
                    number, kModelFormat)};
  }
  return number;
}

Status check_length(const std::string& name, const Array& array) {
  std::size_t count = 1;
  for (const int size : array.shape) count *= static_cast<std::size_t>(size);
  if (array.values.size() == count) return {};
  return Error{
      fmt::format("the array '{}' holds {} values where its shape has {}", name, array.values.size(), count)};
}

Status check_norm(const Node& node, const Weights& weights) {
  const auto* norm = std::get_if<op::BatchNorm>(&node.op);
  if (norm == nullptr) return {};
  if (!std::isfinite(norm->epsilon) || norm->epsilon <= 0) {
    return Error{fmt::format("the epsilon of batch norm '{}' is not a positive number", node.name)};
  }
  for (const float variance : weights.at(node.name + ".running_var").values) {
    if (variance < 0)
      return Error{fmt::format("the array '{}.running_var' holds a negative variance", node.name)};
  }
  return {};
}

}  // namespace

Status check_network(const Network& network) {
  RETURN_IF_ERROR(check_weights(network.graph, network.weights));
  for (const auto& [name, array] : network.weights) RETURN_IF_ERROR(check_length(name, array));
  for (const Node& node : network.graph.nodes()) RETURN_IF_ERROR(check_norm(node, network.weights));
  return {};
}

Result<std::string> serialize_network(const Network& network) {
  RETURN_IF_ERROR(check_network(network));
  ASSIGN_OR_RETURN(const onnx::ModelProto model, to_onnx(network));
  return serialize(model);
}

Result<std::string> serialize_static(const Network& network) {
  RETURN_IF_ERROR(check_network(network));
  const Network folded = fold_batch_norm(network);
  RETURN_IF_ERROR(check_weights(folded.graph, folded.weights));  // a product may have overflown
  ASSIGN_OR_RETURN(const onnx::ModelProto model, to_onnx(folded));
  return serialize(model);
}

std::optional<std::string_view> find_metadata(const onnx::ModelProto& model, std::string_view key) {
  for (const onnx::StringStringEntryProto& entry : model.metadata_props()) {
    if (entry.key() == key) return entry.value();
  }
  return std::nullopt;
}

Result<OnnxFile> parse_onnx(std::string_view bytes) {
  OnnxFile file;
  if (bytes.size() > std::numeric_limits<int>::max()) {
    return Error{"the file is larger than 2 GB, which no ONNX file in one piece can be"};
  }
  if (!parse_in_place(bytes, file) || !file.model.has_graph()) {
    return Error{"the file is not ONNX, or it is damaged or cut short"};
  }
  bool dynamic = false;
  for (const auto& entry : file.model.metadata_props())
    dynamic = dynamic || entry.key().starts_with("concertina.");
  if (!dynamic) return file;
  int format = kModelFormat;
  if (const auto text = find_metadata(file.model, "concertina.format")) {
    ASSIGN_OR_RETURN(format, read_format(*text));
  }
  if (!is_sealed(bytes, format)) {
    return Error{
        "the model's checksum does not fit its content: the file is damaged, cut short or was edited"};
  }
  return file;
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
    ASSIGN_OR_RETURN(const OnnxFile file, parse_onnx(bytes));
    ASSIGN_OR_RETURN(ImportedNetwork imported,
                     from_onnx(file, {.most_values = kMaxValues, .import = options}));
    RETURN_IF_ERROR(check_network(imported.network));
    return imported;
  });
}

Result<Network> read_network(const std::filesystem::path& path) {
  return read_as(path, parse_network);
}

}  // namespace concertina::onnx
