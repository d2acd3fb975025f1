#include "onnx/parse_in_place.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>
#include <limits>
#include <string>

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

}  // namespace

bool parse_in_place(std::string_view bytes, OnnxFile& file) {
  if (bytes.size() > std::numeric_limits<int>::max()) return false;
  return parse_without(onnx::ModelProto::kGraphFieldNumber, bytes, file.model, [&](std::string_view content) {
    return parse_graph(content, *file.model.mutable_graph(), file.raw_data);
  });
}

}  // namespace concertina::onnx
