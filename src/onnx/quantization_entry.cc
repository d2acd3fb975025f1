#include "onnx/quantization_entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "base/try.h"
#include "onnx/metadata_entry.h"
#include "onnx/onnx_file.h"

namespace concertina::onnx {
namespace {

using OrderedJson = nlohmann::ordered_json;

bool is_quantized(const SubnetRecord& record) {
  return !record.quantization.empty();
}

/// The tensors of any sub-net, in the order of the graph.
std::vector<std::string> quantized_tensors(const ModelFile& model) {
  std::vector<std::string> names;
  for (const Node& node : model.network.graph.nodes()) {
    const auto has_it = [&](const SubnetRecord& record) { return record.quantization.contains(node.name); };
    if (std::any_of(model.subnets.begin(), model.subnets.end(), has_it)) names.push_back(node.name);
  }
  return names;
}

/// `names` are those of the lists' values.
Result<Quantizations> read_subnet(const Reader& entry, const std::vector<std::string>& names) {
  constexpr double kMost = std::numeric_limits<float>::max();
  const std::vector<Reader> scales = entry["scales"].entries(names.size(), names.size());
  const std::vector<Reader> points = entry["zero_points"].entries(names.size(), names.size());
  RETURN_IF_ERROR(status_of(entry, kQuantization));
  Quantizations read;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (scales[i].is_null() && points[i].is_null()) continue;
    read[names[i]] = {.scale = static_cast<float>(scales[i].number({0, kMost})),
                      .zero_point = points[i].whole({0, 255})};
  }
  RETURN_IF_ERROR(status_of(entry, kQuantization));
  return read;
}

}  // namespace

bool has_quantization(const ModelFile& model) {
  return std::any_of(model.subnets.begin(), model.subnets.end(), is_quantized);
}

std::string write_quantization(const ModelFile& model) {
  const std::vector<std::string> names = quantized_tensors(model);
  OrderedJson subnets = OrderedJson::array();
  for (const SubnetRecord& record : model.subnets) {
    OrderedJson scales = OrderedJson::array(), points = OrderedJson::array();
    for (const std::string& name : names) {
      const auto found = record.quantization.find(name);
      const bool has_it = found != record.quantization.end();
      scales.push_back(has_it ? OrderedJson(found->second.scale) : OrderedJson());
      points.push_back(has_it ? OrderedJson(found->second.zero_point) : OrderedJson());
    }
    const OrderedJson lists = {{"scales", scales}, {"zero_points", points}};
    subnets.push_back(is_quantized(record) ? lists : OrderedJson());
  }
  return OrderedJson{{"tensors", names}, {"subnets", subnets}}.dump();
}

Status read_quantization(const onnx::ModelProto& file, std::vector<SubnetRecord>& records) {
  if (!find_metadata(file, kQuantization)) return {};
  ASSIGN_OR_RETURN(const Reader entry, read_json(file, kQuantization));
  const std::vector<std::string> names = read_strings(entry["tensors"]);
  const std::vector<Reader> subnets = entry["subnets"].entries(records.size(), records.size());
  RETURN_IF_ERROR(status_of(entry, kQuantization));
  if (std::set(names.begin(), names.end()).size() != names.size())
    return malformed(kQuantization, "lists a tensor twice");
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (subnets[i].is_null()) continue;
    ASSIGN_OR_RETURN(records[i].quantization, read_subnet(subnets[i], names));
  }
  return {};
}

}  // namespace concertina::onnx
