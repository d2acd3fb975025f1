#include "onnx/onnx_file.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>
#include <limits>

#include "base/hash.h"
#include "base/text.h"
#include "base/try.h"
#include "onnx/inline_functions.h"
#include "onnx/model_file.h"

namespace concertina::onnx {
namespace {

using google::protobuf::MessageLite;
using google::protobuf::internal::WireFormatLite;

/// Bytes of 32 bits. Protobuf's parser refuses longer forms, which CodedInputStream would cut.
constexpr std::size_t kLongestVarint = 5;

/// Calls take(content) for each occurrence of the length-delimited field `number` in `bytes` and merges all
/// other fields into `message`. False if the bytes are no message or `take` returns false.
template <typename Take>
bool parse_without(int number, std::string_view bytes, MessageLite& message, Take take) {
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                               static_cast<int>(bytes.size()));
  const std::uint32_t taken = WireFormatLite::MakeTag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  std::string others;
  const auto here = [&] { return static_cast<std::size_t>(input.CurrentPosition()); };
  while (here() < bytes.size()) {
    const std::size_t begin = here();
    const std::uint32_t tag = input.ReadTag();
    if (here() - begin > kLongestVarint) return false;
    if (tag == taken) {
      std::uint32_t size = 0;
      const std::size_t size_begin = here();
      if (!input.ReadVarint32(&size) || here() - size_begin > kLongestVarint) return false;
      if (size > bytes.size() - here()) return false;
      if (!take(bytes.substr(here(), size)) || !input.Skip(static_cast<int>(size))) return false;
    } else {
      if (tag == 0 || !WireFormatLite::SkipField(&input, tag)) return false;
      others += bytes.substr(begin, here() - begin);
    }
  }
  return message.MergeFromString(others);
}

bool parse_tensor(std::string_view bytes, onnx::TensorProto& tensor, std::string_view& raw_data) {
  return parse_without(onnx::TensorProto::kRawDataFieldNumber, bytes, tensor, [&](std::string_view content) {
    raw_data = content;
    return true;
  });
}

bool parse_graph(std::string_view bytes, onnx::GraphProto& graph, std::vector<std::string_view>& raw_data) {
  return parse_without(onnx::GraphProto::kInitializerFieldNumber, bytes, graph,
                       [&](std::string_view content) {
                         return parse_tensor(content, *graph.add_initializer(), raw_data.emplace_back());
                       });
}

/// What a sealed model ends with.
std::string seal_of(std::string_view content, int format) {
  OnnxFile file;
  add_metadata("concertina.checksum",
               format < 3 ? fmt::format("{:016x}", Hash().add(content).value()) : checksum(content),
               file.model);
  return file.model.SerializeAsString();
}

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

}  // namespace

bool parse_in_place(std::string_view bytes, OnnxFile& file) {
  if (bytes.size() > std::numeric_limits<int>::max()) return false;
  return parse_without(onnx::ModelProto::kGraphFieldNumber, bytes, file.model, [&](std::string_view content) {
    return parse_graph(content, *file.model.mutable_graph(), file.raw_data);
  });
}

std::optional<std::string_view> find_metadata(const onnx::ModelProto& model, std::string_view key) {
  for (const onnx::StringStringEntryProto& entry : model.metadata_props()) {
    if (entry.key() == key) return entry.value();
  }
  return std::nullopt;
}

void add_metadata(std::string_view key, std::string value, onnx::ModelProto& model) {
  onnx::StringStringEntryProto& entry = *model.add_metadata_props();
  entry.set_key(std::string(key));
  entry.set_value(std::move(value));
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
  if (!dynamic) {
    RETURN_IF_ERROR(inline_functions(file.model));
    return file;
  }
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

std::string seal(std::string model, int format) {
  model += seal_of(model, format);
  return model;
}

bool is_sealed(std::string_view bytes, int format) {
  const std::size_t length = seal_of({}, format).size();
  return bytes.size() >= length && bytes.ends_with(seal_of(bytes.substr(0, bytes.size() - length), format));
}

}  // namespace concertina::onnx
