#include "onnx/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/reader.h"
#include "base/try.h"
#include "graph/cost.h"
#include "onnx/metadata_entry.h"
#include "onnx/onnx_file.h"
#include "onnx/own_arrays.h"
#include "onnx/quantization_entry.h"

namespace concertina::onnx {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kSubnets = "concertina.subnets";
constexpr std::string_view kValidation = "concertina.validation";
constexpr std::string_view kTaught = "concertina.taught";
constexpr std::string_view kTeacher = "concertina.teacher";
constexpr std::string_view kLabelMaps = "concertina.label_maps";
constexpr std::string_view kBgr = "bgr";

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
  OrderedJson entry = {{"widths", record.subnet.widths}};
  if (record.subnet.resolution > 0) entry["resolution"] = record.subnet.resolution;
  entry["macs"] = size.macs;
  entry["parameters"] = size.parameters;
  entry["validation_accuracy"] = record.validation_accuracy;
  if (record.test_accuracy) entry["test_accuracy"] = *record.test_accuracy;
  const auto own = own_parameters(graph, record);
  if (!own.empty()) entry["parameters_of_its_own"] = names_of(own);
  return entry;
}

std::vector<float> read_floats(const Reader& list) {
  constexpr double kMost = std::numeric_limits<float>::max();
  std::vector<float> values;
  for (const Reader& entry : list.entries())
    values.push_back(static_cast<float>(entry.number({-kMost, kMost})));
  return values;
}

Result<SubnetRecord> read_record(const Graph& graph, const Reader& entry) {
  SubnetRecord record{.subnet = {},
                      .own = {},
                      .validation_accuracy = entry["validation_accuracy"].number(),
                      .test_accuracy = {}};
  for (const Reader& width : entry["widths"].entries()) record.subnet.widths.push_back(width.whole());
  if (const Reader resolution = entry["resolution"])
    record.subnet.resolution = resolution.whole({1, std::numeric_limits<int>::max()});
  if (const Reader test = entry["test_accuracy"]; test && !test.is_null())
    record.test_accuracy = test.number();
  const auto macs = entry["macs"].whole<std::int64_t>(),
             parameters = entry["parameters"].whole<std::int64_t>();
  RETURN_IF_ERROR(status_of(entry, kSubnets));
  RETURN_IF_ERROR(check_subnet(graph, record.subnet));
  const Cost size = cost(graph, record.subnet);
  if (macs != size.macs || parameters != size.parameters) {
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
Status read_own_arrays(const Graph& graph, const onnx::ModelProto& file, std::size_t i, const Reader& entry,
                       SubnetRecord& record) {
  RETURN_IF_ERROR(read_arrays(file, statistics_key(i), statistics_of(graph, record.subnet), record));
  const Reader listed = entry["parameters_of_its_own"];
  if (!listed || listed.is_null()) return {};
  const std::vector<std::string> names = read_strings(listed);
  RETURN_IF_ERROR(status_of(entry, kSubnets));
  const auto arrays = parameters_among(graph, record.subnet, names);
  if (names_of(arrays) != names) {
    return malformed(kSubnets, "lists parameters of a sub-net that are not the network's, in its order");
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
  ASSIGN_OR_RETURN(const Reader table, read_json(file, kSubnets));
  const std::vector<std::string> dimensions = read_strings(table["dimensions"]);
  const std::vector<Reader> entries = table["subnets"].entries();
  RETURN_IF_ERROR(status_of(table, kSubnets));
  if (dimensions != dimension_names(graph))
    return malformed(kSubnets, "does not list the network's channel dimensions");
  std::vector<SubnetRecord> records;
  for (const Reader& entry : entries) {
    ASSIGN_OR_RETURN(SubnetRecord record, read_record(graph, entry));
    RETURN_IF_ERROR(read_own_arrays(graph, file, records.size(), entry, record));
    RETURN_IF_ERROR(read_probe(file, probe_key(records.size()), record));
    records.push_back(std::move(record));
  }
  RETURN_IF_ERROR(read_quantization(file, records));
  return records;
}

OrderedJson write_validation(const ValidationImages& images) {
  return {{"images", images.count},
          {"among", images.among},
          {"seed", images.seed},
          {"labels", fmt::format("{:016x}", images.labels)},
          {"by_class", images.by_class}};
}

constexpr const char* kHashForm = "16 hexadecimal digits";

std::optional<std::uint64_t> parse_hash(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  const bool whole = text.size() == 16 && error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

std::uint64_t read_hash(const Reader& reader) {
  const auto value = parse_hash(reader.text());
  if (!value) reader.must_be(kHashForm);
  return value.value_or(0);
}

Status read_validation(const onnx::ModelProto& file, std::optional<ValidationImages>& images) {
  if (!find_metadata(file, kValidation)) return {};
  ASSIGN_OR_RETURN(const Reader entry, read_json(file, kValidation));
  images = ValidationImages{.count = entry["images"].whole<std::int64_t>(),
                            .among = entry["among"].whole<std::int64_t>(),
                            .seed = entry["seed"].whole<std::int64_t>(),
                            .labels = read_hash(entry["labels"]),
                            .by_class = entry["by_class"] && entry["by_class"].boolean()};
  return status_of(entry, kValidation);
}

bool read_bgr(const Reader& preprocessing) {
  const Reader order = preprocessing["channel_order"];
  if (!order) return false;
  if (order.text() != kBgr) order.must_be("\"bgr\", or absent");
  return true;
}

OrderedJson write_taught(const std::vector<TaughtOutput>& outputs) {
  OrderedJson list = OrderedJson::array();
  for (const auto& [distribution, weight, variance] : outputs)
    list.push_back({{"distribution", distribution}, {"weight", weight}, {"variance", variance}});
  return list;
}

Status read_taught(const onnx::ModelProto& file, std::vector<TaughtOutput>& outputs) {
  if (!find_metadata(file, kTaught)) return {};
  ASSIGN_OR_RETURN(const Reader list, read_json(file, kTaught));
  for (const Reader& entry : list.entries(1)) {
    outputs.push_back({.distribution = entry["distribution"].boolean(),
                       .weight = entry["weight"].number(),
                       .variance = entry["variance"].number()});
  }
  return status_of(list, kTaught);
}

}  // namespace

int format_of(const ModelFile& model) {
  const auto leaves_out = [](const SubnetRecord& record) {
    const std::vector<int>& widths = record.subnet.widths;
    return std::find(widths.begin(), widths.end(), 0) != widths.end();
  };
  const auto scales = [](const SubnetRecord& record) { return record.subnet.resolution > 0; };
  if (std::any_of(model.subnets.begin(), model.subnets.end(), scales)) return 6;
  if (std::any_of(model.subnets.begin(), model.subnets.end(), leaves_out)) return 5;
  return model.preprocessing.bgr ? 4 : 3;
}

std::vector<std::pair<std::string, std::string>> write_metadata(const ModelFile& model) {
  const Graph& graph = model.network.graph;
  OrderedJson table = {{"dimensions", dimension_names(graph)}, {"subnets", OrderedJson::array()}};
  for (const SubnetRecord& record : model.subnets) table["subnets"].push_back(write_record(graph, record));
  OrderedJson preprocessing = {{"mean", model.preprocessing.mean}, {"stddev", model.preprocessing.stddev}};
  if (model.preprocessing.resize > 0) preprocessing["resize"] = model.preprocessing.resize;
  if (model.preprocessing.bgr) preprocessing["channel_order"] = kBgr;
  std::vector<std::pair<std::string, std::string>> entries = {
      {"concertina.format", std::to_string(format_of(model))},
      {"concertina.subnets", table.dump()},
      {"concertina.preprocessing", preprocessing.dump()},
      {"concertina.classes", OrderedJson(model.classes).dump()}};
  if (model.validation) entries.emplace_back(kValidation, write_validation(*model.validation).dump());
  if (!model.taught.empty()) entries.emplace_back(kTaught, write_taught(model.taught).dump());
  if (model.teacher) entries.emplace_back(kTeacher, fmt::format("{:016x}", *model.teacher));
  if (model.label_maps) {
    const OrderedJson maps = {{"black_and_white", model.label_maps->black_and_white}};
    entries.emplace_back(kLabelMaps, maps.dump());
  }
  if (has_quantization(model)) entries.emplace_back(kQuantization, write_quantization(model));
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
  constexpr std::string_view kPreprocessing = "concertina.preprocessing", kClasses = "concertina.classes";
  ASSIGN_OR_RETURN(const Reader preprocessing, read_json(file, kPreprocessing));
  const Reader resize = preprocessing["resize"];
  ModelFile model{.network = std::move(network),
                  .subnets = std::move(subnets),
                  .preprocessing = {read_floats(preprocessing["mean"]), read_floats(preprocessing["stddev"]),
                                    resize.is_null() ? 0 : resize.whole_or(0), read_bgr(preprocessing)},
                  .classes = {}};
  RETURN_IF_ERROR(status_of(preprocessing, kPreprocessing));
  ASSIGN_OR_RETURN(const Reader names, read_json(file, kClasses));
  model.classes = read_strings(names);
  RETURN_IF_ERROR(status_of(names, kClasses));
  RETURN_IF_ERROR(read_validation(file, model.validation));
  RETURN_IF_ERROR(read_taught(file, model.taught));
  if (const auto teacher = find_metadata(file, kTeacher)) {
    model.teacher = parse_hash(*teacher);
    if (!model.teacher) return malformed(kTeacher, fmt::format("must be {}", kHashForm));
  }
  if (find_metadata(file, kLabelMaps)) {
    ASSIGN_OR_RETURN(const Reader maps, read_json(file, kLabelMaps));
    model.label_maps = LabelMaps{.black_and_white = maps["black_and_white"].boolean()};
    RETURN_IF_ERROR(status_of(maps, kLabelMaps));
  }
  return model;
}

}  // namespace concertina::onnx
