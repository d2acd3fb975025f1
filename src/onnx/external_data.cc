#include "onnx/external_data.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/try.h"

namespace concertina::onnx {
namespace {

namespace fs = std::filesystem;

/// Where a tensor's values lie.
struct Place {
  std::string location;
  std::size_t offset = 0;
  std::optional<std::size_t> length;
};

Result<Place> read_place(const onnx::TensorProto& tensor) {
  Place place;
  for (const onnx::StringStringEntryProto& entry : tensor.external_data()) {
    if (entry.key() == "location") place.location = entry.value();
    if (entry.key() != "offset" && entry.key() != "length") continue;
    const auto number = parse_number<std::size_t>(entry.value());
    if (!number) return Error{fmt::format("its {} '{}' is not a number", entry.key(), entry.value())};
    (entry.key() == "offset" ? place.offset : place.length.emplace()) = *number;
  }
  if (place.location.empty()) return Error{"it does not say in which file its values are"};
  return place;
}

/// The path of a file below the folder, symbolic links followed.
Result<fs::path> path_inside(const fs::path& folder, const std::string& location) {
  std::error_code code;
  const fs::path root = fs::weakly_canonical(folder.empty() ? fs::path(".") : folder, code);
  const fs::path path = code ? fs::path() : fs::weakly_canonical(root / location, code);
  if (code) return Error{fmt::format("its values are in '{}': {}", location, code.message())};
  const auto [end, unused] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  if (fs::path(location).is_absolute() || end != root.end()) {
    return Error{
        fmt::format("its values are in '{}', which is outside the folder of the ONNX file", location)};
  }
  return path;
}

class ExternalFiles {
 public:
  ExternalFiles(const fs::path& folder, OnnxFile& file) : folder_(folder), file_(file) {}

  Result<std::string_view> values_of(const onnx::TensorProto& tensor) {
    ASSIGN_OR_RETURN(const Place place, read_place(tensor));
    ASSIGN_OR_RETURN(const std::string_view bytes, content(place.location));
    const std::size_t length = place.length.value_or(bytes.size() - std::min(bytes.size(), place.offset));
    if (place.offset > bytes.size() || length > bytes.size() - place.offset) {
      return Error{fmt::format("its values are the bytes from {} to {} of '{}', which has only {}",
                               place.offset, place.offset + length, place.location, bytes.size())};
    }
    return bytes.substr(place.offset, length);
  }

 private:
  Result<std::string_view> content(const std::string& location) {
    const auto known = file_.external.find(location);
    if (known != file_.external.end()) return known->second.view();
    ASSIGN_OR_RETURN(const fs::path path, path_inside(folder_, location));
    auto bytes = read_bytes(path);
    if (!bytes) return Error{fmt::format("its values are in another file: {}", bytes.error().message)};
    return file_.external.emplace(location, std::move(bytes).value()).first->second.view();
  }

  const fs::path& folder_;
  OnnxFile& file_;
};

bool is_external(const onnx::TensorProto& tensor) {
  return tensor.data_location() == onnx::TensorProto::EXTERNAL;
}

Error in_tensor(const onnx::TensorProto& tensor, const Error& error) {
  return {fmt::format("array '{}': {}", tensor.name(), error.message)};
}

/// Our own models record what belongs to them.
Status check_recorded(const OnnxFile& file) {
  const auto recorded = find_metadata(file.model, kDataChecksum);
  if (!recorded) return {};
  for (const auto& [location, content] : file.external) {
    if (checksum(content.view()) == *recorded) continue;
    return Error{fmt::format(
        "the checksum of '{}', which holds its arrays, does not fit the model; copy both files together",
        location)};
  }
  return {};
}

}  // namespace

Status read_external_data(const fs::path& folder, OnnxFile& file) {
  ExternalFiles files(folder, file);
  onnx::GraphProto& graph = *file.model.mutable_graph();
  for (int i = 0; i < graph.initializer_size(); ++i) {
    if (!is_external(graph.initializer(i))) continue;
    const auto values = files.values_of(graph.initializer(i));
    if (!values) return in_tensor(graph.initializer(i), values.error());
    file.raw_data[i] = *values;
    graph.mutable_initializer(i)->clear_data_location();
  }
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
      if (!attribute.has_t() || !is_external(attribute.t())) continue;
      const auto values = files.values_of(attribute.t());
      if (!values) return in_tensor(attribute.t(), values.error());
      attribute.mutable_t()->set_raw_data(values->data(), values->size());
      attribute.mutable_t()->clear_data_location();
    }
  }
  return check_recorded(file);
}

}  // namespace concertina::onnx
