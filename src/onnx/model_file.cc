#include "onnx/model_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.h"
#include "base/random.h"
#include "base/try.h"
#include "onnx/check.h"
#include "onnx/external_data.h"
#include "onnx/graph_from_onnx.h"
#include "onnx/graph_to_onnx.h"
#include "onnx/metadata.h"
#include "onnx/network_file.h"
#include "onnx/onnx_file.h"
#include "onnx/write_onnx.h"

namespace concertina::onnx {

namespace {

Result<onnx::ModelProto> model_to_onnx(const ModelFile& model) {
  RETURN_IF_ERROR(check_model(model));
  ASSIGN_OR_RETURN(onnx::ModelProto file, to_onnx(model.network));
  for (auto& [key, value] : write_metadata(model)) add_metadata(key, std::move(value), file);
  return file;
}

Result<OnnxFile> parse_dynamic(std::string_view bytes) {
  ASSIGN_OR_RETURN(OnnxFile file, parse_onnx(bytes));
  if (!find_metadata(file.model, "concertina.format")) {
    return Error{"this is an ONNX file, but not a dynamic model; concertina-train makes one of it"};
  }
  return file;
}

/// `bytes`: of all that was read.
Result<ModelFile> model_from_onnx(const OnnxFile& file, std::size_t bytes) {
  ASSIGN_OR_RETURN(ImportedNetwork read, from_onnx(file, {.most_values = static_cast<std::int64_t>(bytes)}));
  ASSIGN_OR_RETURN(ModelFile model, read_metadata(std::move(read.network), file.model));
  RETURN_IF_ERROR(check_model(model));
  return model;
}

}  // namespace

std::vector<float> probe_images(const Graph& graph) {
  const CounterRandom random(0);
  std::vector<float> images(kProbeImages * static_cast<std::size_t>(input_elements(graph)));
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(4 * random.uniform(i) - 2);
  return images;
}

Result<std::string> serialize_model(const ModelFile& model) {
  ASSIGN_OR_RETURN(const onnx::ModelProto file, model_to_onnx(model));
  return serialize(file, format_of(model));
}

Result<ModelFile> parse_model(std::string_view bytes) {
  ASSIGN_OR_RETURN(const OnnxFile file, parse_dynamic(bytes));
  return model_from_onnx(file, bytes.size());
}

Result<ModelFile> parse_model(std::string_view bytes, const std::filesystem::path& folder) {
  ASSIGN_OR_RETURN(OnnxFile file, parse_dynamic(bytes));
  std::size_t size = bytes.size();
  if (find_metadata(file.model, kDataChecksum)) {
    RETURN_IF_ERROR(read_external_data(folder, file));
    for (const auto& [location, content] : file.external) size += content.view().size();
  }
  return model_from_onnx(file, size);
}

std::optional<std::string> strip_model(std::string_view bytes, const std::set<std::string>& arrays) {
  OnnxFile file;
  if (!parse_in_place(bytes, file) || find_metadata(file.model, kDataChecksum)) return std::nullopt;
  onnx::GraphProto& graph = *file.model.mutable_graph();
  for (int i = 0; i < graph.initializer_size(); ++i) {
    const std::string_view raw = file.raw_data[i];
    if (arrays.contains(graph.initializer(i).name()) || raw.empty()) continue;
    graph.mutable_initializer(i)->set_raw_data(raw.data(), raw.size());
  }
  return file.model.SerializeAsString();
}

Result<ModelFile> parse_stripped(std::string_view bytes) {
  OnnxFile file;
  if (!parse_in_place(bytes, file)) return Error{"the model without its arrays is damaged"};
  ASSIGN_OR_RETURN(ImportedNetwork read, from_onnx(file, {.most_values = kMostBytes, .stripped = true}));
  return read_metadata(std::move(read.network), file.model);
}

Status write_model(const std::filesystem::path& path, const ModelFile& model, std::size_t most) {
  auto file = model_to_onnx(model);
  if (!file) return in_file(path, file.error());
  return write_onnx(path, std::move(file).value(), format_of(model), most);
}

Result<ModelFile> read_model(const std::filesystem::path& path) {
  return read_as(path, [&](std::string_view bytes) { return parse_model(bytes, path.parent_path()); });
}

Status check_calibrated(const SubnetRecord& record) {
  if (!record.quantization.empty()) return {};
  return Error{
      fmt::format("sub-net {} has no scales for int8; run `concertina-train quantize` on the model first",
                  to_string(record.subnet))};
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

Status write_subnet(const std::filesystem::path& path, const ModelFile& model, const Subnet& subnet) {
  ASSIGN_OR_RETURN(const SubnetRecord* record, find_subnet(model, subnet));
  return write_static(path, extract(model.network, subnet, record->own));
}

}  // namespace concertina::onnx
