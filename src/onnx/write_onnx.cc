#include "onnx/write_onnx.h"

#include "base/file.h"
#include "base/try.h"
#include "onnx/onnx_file.h"

namespace concertina::onnx {
namespace {

/// Moves the arrays' values out of the model: what is returned belongs in the file `location` beside it.
std::string move_out_values(const std::string& location, onnx::GraphProto& graph) {
  constexpr std::size_t kAlignment = 64;  // a cache line, for readers that map the file
  std::size_t size = 0;
  for (const onnx::TensorProto& tensor : graph.initializer()) size += tensor.raw_data().size() + kAlignment;
  std::string data;
  data.reserve(size);
  for (onnx::TensorProto& tensor : *graph.mutable_initializer()) {
    if (!tensor.has_raw_data()) continue;
    data.resize((data.size() + kAlignment - 1) / kAlignment * kAlignment);
    const auto describe = [&](const char* key, std::string value) {
      onnx::StringStringEntryProto& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(std::move(value));
    };
    describe("location", location);
    describe("offset", std::to_string(data.size()));
    describe("length", std::to_string(tensor.raw_data().size()));
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    data += tensor.raw_data();
    delete tensor.release_raw_data();  // clear_raw_data() would keep the memory
  }
  return data;
}

}  // namespace

Result<std::string> serialize(const onnx::ModelProto& model, std::optional<int> format) {
  std::string bytes;
  if (model.ByteSizeLong() > kMostBytes || !model.SerializeToString(&bytes)) {
    return Error{"the network is larger than 2 GB, which no ONNX file in one piece can be; make it narrower"};
  }
  return format ? seal(std::move(bytes), *format) : bytes;
}

Status write_onnx(const std::filesystem::path& path, onnx::ModelProto model, std::optional<int> format,
                  std::size_t most) {
  constexpr std::size_t kSeal = 64;  // at most
  if (model.ByteSizeLong() + kSeal > most) {
    std::filesystem::path beside = path;
    beside += ".data";
    const std::string data = move_out_values(beside.filename().string(), *model.mutable_graph());
    if (format) add_metadata(kDataChecksum, checksum(data), model);
    RETURN_IF_ERROR(write_file(beside, data));
  }
  const auto bytes = serialize(model, format);
  if (!bytes) return in_file(path, bytes.error());
  return write_file(path, *bytes);
}

}  // namespace concertina::onnx
