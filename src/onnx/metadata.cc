#include "onnx/metadata.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/json_tree.h"
#include "base/try.h"
#include "graph/cost.h"
#include "onnx/base64.h"
#include "onnx/onnx_file.h"
#include "onnx/own_arrays.h"

namespace concertina::onnx {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

std::vector<std::string> dimension_names(const Graph& graph) {
  std::vector<std::string> names;
  for (int d = 0; d < graph.layout().free_dimensions; ++d) {
    names.push_back(graph.layout().dimensions[d].name);
  }
  return names;
}

std::string statistics_key(std::size_t i) {
  return fmt::format("concertina.statistics.{}", i);
}

std::string probe_key(std::size_t i) {
  return fmt::format("concertina.probe.{}", i);
}

std::string parameters_key(std::size_t i) {
  return fmt::format("concertina.parameters.{}", i);
}

/// The arrays besides its statistics that a sub-net has of its own.
std::vector<OwnArray> own_parameters(const Graph& graph, const SubnetRecord& record) {
  std::vector<std::string> names;
  for (const auto& [name, array] : record.own) names.push_back(name);
  return parameters_among(graph, record.subnet, names);
}

std::vector<std::string> names_of(const std::vector<OwnArray>& arrays) {
  std::vector<std::string> names;
  for (const OwnArray& array : arrays) names.push_back(array.name);
  return names;
}

OrderedJson write_record(const Graph& graph, const SubnetRecord& record) {
  const Cost size = cost(graph, record.subnet);
  OrderedJson entry = {{"widths", record.subnet.widths},
                       {"macs", size.macs},
                       {"parameters", size.parameters},
                       {"validation_accuracy", record.validation_accuracy}};
  if (record.test_accuracy) entry["test_accuracy"] = *record.test_accuracy;
  const auto own = own_parameters(graph, record);
  if (!own.empty()) entry["parameters_of_its_own"] = names_of(own);
  return entry;
}

Error malformed(std::string_view key, std::string_view what) {
  return Error{
      fmt::format("the model's entry '{}' {}; the file was not made by Concertina or is damaged", key, what)};
}

/// The JSON value of an entry.
Result<JsonTree<Json>> read_json(const onnx::ModelProto& file, std::string_view key) {
  const auto text = find_metadata(file, key);
  if (!text) return malformed(key, "is missing");
  JsonTree json(Json::parse(*text, nullptr, /*allow_exceptions=*/false));
  if (json->is_discarded()) return malformed(key, "is not JSON");
  return json;
}

/// The member of an object; null if there is none.
const Json& member(const Json& json, const char* name) {
  static const Json kNothing;
  const auto found = json.find(name);
  return found == json.end() ? kNothing : *found;
}

std::optional<int> read_integer(const Json& json) {
  if (!json.is_number_unsigned() || json.get<std::uint64_t>() > std::numeric_limits<int>::max())
    return std::nullopt;
  return json.get<int>();
}

std::optional<std::vector<int>> read_integers(const Json& json) {
  if (!json.is_array()) return std::nullopt;
  std::vector<int> values;
  for (const Json& item : json) {
    const auto value = read_integer(item);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

std::optional<std::vector<float>> read_floats(const Json& json) {
  if (!json.is_array()) return std::nullopt;
  std::vector<float> values;
  for (const Json& item : json) {
    if (!item.is_number() || std::abs(item.get<double>()) > std::numeric_limits<float>::max())
      return std::nullopt;
    values.push_back(item.get<float>());
  }
  return values;
}

std::optional<std::vector<std::string>> read_strings(const Json& json) {
  if (!json.is_array()) return std::nullopt;
  std::vector<std::string> values;
  for (const Json& item : json) {
    if (!item.is_string()) return std::nullopt;
    values.push_back(item.get<std::string>());
  }
  return values;
}

Result<SubnetRecord> read_record(const Graph& graph, const Json& entry) {
  const auto widths = read_integers(member(entry, "widths"));
  const Json& validation = member(entry, "validation_accuracy");
  const Json& test = member(entry, "test_accuracy");
  if (!widths || !validation.is_number() || !(test.is_null() || test.is_number())) {
    return malformed("concertina.subnets", "lacks the widths or the accuracy of a sub-net");
  }
  SubnetRecord record{
      .subnet = {*widths}, .own = {}, .validation_accuracy = validation.get<double>(), .test_accuracy = {}};
  if (test.is_number()) record.test_accuracy = test.get<double>();
  RETURN_IF_ERROR(check_subnet(graph, record.subnet));
  const Cost size = cost(graph, record.subnet);
  if (member(entry, "macs") != size.macs || member(entry, "parameters") != size.parameters) {
    return Error{
        fmt::format("the model's table gives sub-net {} a wrong size; it has {} multiply-accumulates and {} "
                    "parameters",
                    to_string(record.subnet), size.macs, size.parameters)};
  }
  return record;
}

Status read_arrays(const onnx::ModelProto& file, const std::string& key, const std::vector<OwnArray>& arrays,
                   SubnetRecord& record) {
  const auto text = find_metadata(file, key);
  if (!text) return malformed(key, "is missing");
  const Status status = unpack_arrays(*text, arrays, record.own);
  return status ? status : malformed(key, status.error().message);
}

/// `entry` is the sub-net's in the table, `i` its number.
Status read_own_arrays(const Graph& graph, const onnx::ModelProto& file, std::size_t i, const Json& entry,
                       SubnetRecord& record) {
  RETURN_IF_ERROR(read_arrays(file, statistics_key(i), statistics_of(graph, record.subnet), record));
  const Json& listed = member(entry, "parameters_of_its_own");
  if (listed.is_null()) return {};
  const auto names = read_strings(listed);
  if (!names) return malformed("concertina.subnets", "lists a sub-net's own parameters wrongly");
  const auto arrays = parameters_among(graph, record.subnet, *names);
  if (names_of(arrays) != *names) {
    return malformed("concertina.subnets",
                     "lists parameters of a sub-net that are not the network's, in its order");
  }
  return read_arrays(file, parameters_key(i), arrays, record);
}

Status read_probe(const onnx::ModelProto& file, const std::string& key, SubnetRecord& record) {
  const auto text = find_metadata(file, key);
  if (!text) return {};
  const auto bytes = from_base64(*text);
  if (!bytes || bytes->empty() || bytes->size() % sizeof(float) != 0) {
    return malformed(key, "does not hold the base64 of 32-bit floats");
  }
  record.probe_logits = from_little_endian(*bytes);
  return {};
}

Result<std::vector<SubnetRecord>> read_subnets(const Graph& graph, const onnx::ModelProto& file) {
  constexpr std::string_view kKey = "concertina.subnets";
  ASSIGN_OR_RETURN(const auto table, read_json(file, kKey));
  if (!table->is_object() || read_strings(member(*table, "dimensions")) != dimension_names(graph)) {
    return malformed(kKey, "does not list the network's channel dimensions");
  }
  const Json& entries = member(*table, "subnets");
  if (!entries.is_array()) return malformed(kKey, "has no list of sub-nets");
  std::vector<SubnetRecord> records;
  for (const Json& entry : entries) {
    ASSIGN_OR_RETURN(SubnetRecord record, read_record(graph, entry));
    RETURN_IF_ERROR(read_own_arrays(graph, file, records.size(), entry, record));
    RETURN_IF_ERROR(read_probe(file, probe_key(records.size()), record));
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> write_metadata(const ModelFile& model) {
  const Graph& graph = model.network.graph;
  OrderedJson table = {{"dimensions", dimension_names(graph)}, {"subnets", OrderedJson::array()}};
  for (const SubnetRecord& record : model.subnets) table["subnets"].push_back(write_record(graph, record));
  OrderedJson preprocessing = {{"mean", model.preprocessing.mean}, {"stddev", model.preprocessing.stddev}};
  if (model.preprocessing.resize > 0) preprocessing["resize"] = model.preprocessing.resize;
  std::vector<std::pair<std::string, std::string>> entries = {
      {"concertina.format", std::to_string(kModelFormat)},
      {"concertina.subnets", table.dump()},
      {"concertina.preprocessing", preprocessing.dump()},
      {"concertina.classes", OrderedJson(model.classes).dump()}};
  for (std::size_t i = 0; i < model.subnets.size(); ++i) {
    const SubnetRecord& record = model.subnets[i];
    entries.emplace_back(statistics_key(i), pack_arrays(statistics_of(graph, record.subnet), record.own));
    const auto own = own_parameters(graph, record);
    if (!own.empty()) entries.emplace_back(parameters_key(i), pack_arrays(own, record.own));
    if (!record.probe_logits.empty()) {
      entries.emplace_back(probe_key(i), to_base64(to_little_endian(record.probe_logits)));
    }
  }
  return entries;
}

Result<ModelFile> read_metadata(Network network, const onnx::ModelProto& file) {
  ASSIGN_OR_RETURN(auto subnets, read_subnets(network.graph, file));
  ASSIGN_OR_RETURN(const auto preprocessing, read_json(file, "concertina.preprocessing"));
  auto mean = read_floats(member(*preprocessing, "mean"));
  auto stddev = read_floats(member(*preprocessing, "stddev"));
  if (!mean || !stddev) return malformed("concertina.preprocessing", "does not hold a mean and a stddev");
  const Json& resize = member(*preprocessing, "resize");
  const auto size = resize.is_null() ? 0 : read_integer(resize);
  if (!size) return malformed("concertina.preprocessing", "has a resize that is no number of pixels");
  ASSIGN_OR_RETURN(const auto names, read_json(file, "concertina.classes"));
  auto classes = read_strings(*names);
  if (!classes) return malformed("concertina.classes", "is not a list of names");
  return ModelFile{.network = std::move(network),
                   .subnets = std::move(subnets),
                   .preprocessing = {std::move(*mean), std::move(*stddev), *size},
                   .classes = std::move(*classes)};
}

}  // namespace concertina::onnx
