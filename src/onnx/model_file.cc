#include "onnx/model_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.h"
#include "base/random.h"
#include "base/try.h"
#include "onnx/check.h"
#include "onnx/graph_from_onnx.h"
#include "onnx/graph_to_onnx.h"
#include "onnx/metadata.h"
#include "onnx/network_file.h"
#include "onnx/onnx_file.h"

namespace concertina::onnx {

std::vector<float> probe_images(const Graph& graph) {
  const CounterRandom random(0);
  std::vector<float> images(kProbeImages * static_cast<std::size_t>(input_elements(graph)));
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(4 * random.uniform(i) - 2);
  return images;
}

Result<std::string> serialize_model(const ModelFile& model) {
  RETURN_IF_ERROR(check_model(model));
  ASSIGN_OR_RETURN(onnx::ModelProto file, to_onnx(model.network));
  for (auto& [key, value] : write_metadata(model)) {
    onnx::StringStringEntryProto& entry = *file.add_metadata_props();
    entry.set_key(key);
    entry.set_value(std::move(value));
  }
  ASSIGN_OR_RETURN(std::string bytes, serialize(file));
  return seal(std::move(bytes), format_of(model));
}

Result<ModelFile> parse_model(std::string_view bytes) {
  ASSIGN_OR_RETURN(const OnnxFile file, parse_onnx(bytes));
  if (!find_metadata(file.model, "concertina.format")) {
    return Error{"this is an ONNX file, but not a dynamic model; concertina-train makes one of it"};
  }
  ASSIGN_OR_RETURN(ImportedNetwork read,
                   from_onnx(file, {.most_values = static_cast<std::int64_t>(bytes.size())}));
  ASSIGN_OR_RETURN(ModelFile model, read_metadata(std::move(read.network), file.model));
  RETURN_IF_ERROR(check_model(model));
  return model;
}

Status write_model(const std::filesystem::path& path, const ModelFile& model) {
  const auto bytes = serialize_model(model);
  if (!bytes) return in_file(path, bytes.error());
  return write_file(path, *bytes);
}

Result<ModelFile> read_model(const std::filesystem::path& path) {
  return read_as(path, parse_model);
}

Result<const SubnetRecord*> find_subnet(const ModelFile& model, const Subnet& subnet) {
  std::vector<std::string> names;
  for (const SubnetRecord& record : model.subnets) {
    if (record.subnet == subnet) return &record;
    names.push_back(to_string(record.subnet));
  }
  return Error{
      fmt::format("the model has no sub-net {}; it has {}", to_string(subnet), fmt::join(names, ", "))};
}

Result<std::string> export_subnet(const ModelFile& model, const Subnet& subnet) {
  ASSIGN_OR_RETURN(const SubnetRecord* record, find_subnet(model, subnet));
  return serialize_static(extract(model.network, subnet, record->own));
}

}  // namespace concertina::onnx
