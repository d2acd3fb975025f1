#include "onnx/metadata_entry.h"

#include <fmt/format.h>

#include "onnx/onnx_file.h"

namespace concertina::onnx {

Error malformed(std::string_view key, std::string_view what) {
  return Error{
      fmt::format("the model's entry '{}' {}; the file was not made by Concertina or is damaged", key, what)};
}

Result<Reader> read_json(const onnx::ModelProto& file, std::string_view key) {
  const auto text = find_metadata(file, key);
  if (!text) return malformed(key, "is missing");
  return Reader::of_json(*text);
}

Status status_of(const Reader& reader, std::string_view key) {
  const Status status = reader.status();
  return status ? status : malformed(key, fmt::format("is wrong: {}", status.error().message));
}

std::vector<std::string> read_strings(const Reader& list) {
  std::vector<std::string> values;
  for (const Reader& entry : list.entries()) values.push_back(entry.text());
  return values;
}

}  // namespace concertina::onnx
