#include "onnx/write_onnx.h"

#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/try.h"
#include "onnx/onnx_file.h"

namespace concertina::onnx {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSeal = 64;  // bytes
constexpr std::string_view kEnding = ".data";

void describe(const char* key, std::string value, onnx::TensorProto& tensor) {
  onnx::StringStringEntryProto& entry = *tensor.add_external_data();
  entry.set_key(key);
  entry.set_value(std::move(value));
}

/// The files beside `path` that are named as its data is.
std::vector<fs::path> data_of(const fs::path& path) {
  const std::string begin = path.filename().string() + ".";
  const std::size_t length = begin.size() + checksum({}).size() + kEnding.size();
  std::vector<fs::path> found;
  std::error_code code;
  for (fs::directory_iterator it(path.has_parent_path() ? path.parent_path() : ".", code), end;
       !code && it != end; it.increment(code)) {
    const std::string name = it->path().filename().string();
    const bool named = name.size() == length && name.starts_with(begin) && name.ends_with(kEnding);
    if (named && name.find_first_not_of("0123456789abcdef", begin.size()) == length - kEnding.size())
      found.push_back(it->path());
  }
  return found;
}

/// Moves the arrays' values out of the model. Their places lack only the name of the file that gets what is
/// returned.
std::string move_out_values(onnx::GraphProto& graph) {
  constexpr std::size_t kAlignment = 64;  // a cache line, for readers that map the file
  std::size_t size = 0;
  for (const onnx::TensorProto& tensor : graph.initializer()) size += tensor.raw_data().size() + kAlignment;
  std::string data;
  data.reserve(size);
  for (onnx::TensorProto& tensor : *graph.mutable_initializer()) {
    if (!tensor.has_raw_data()) continue;
    data.resize((data.size() + kAlignment - 1) / kAlignment * kAlignment);
    describe("offset", std::to_string(data.size()), tensor);
    describe("length", std::to_string(tensor.raw_data().size()), tensor);
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    data += tensor.raw_data();
    delete tensor.release_raw_data();  // clear_raw_data() would keep the memory
  }
  return data;
}

}  // namespace

Result<std::string> serialize(const onnx::ModelProto& model, std::optional<int> format) {
  std::string bytes;
  if (model.ByteSizeLong() + kMostSeal > kMostBytes || !model.SerializeToString(&bytes)) {
    return Error{"the network is larger than 2 GB, which no ONNX file in one piece can be; make it narrower"};
  }
  return format ? seal(std::move(bytes), *format) : bytes;
}

Status write_onnx(const fs::path& path, onnx::ModelProto model, std::optional<int> format, std::size_t most) {
  std::string beside;
  if (model.ByteSizeLong() + kMostSeal > most) {
    const std::string data = move_out_values(*model.mutable_graph());
    const std::string sum = checksum(data);
    beside = path.filename().string() + "." + sum + std::string(kEnding);
    for (onnx::TensorProto& tensor : *model.mutable_graph()->mutable_initializer())
      if (tensor.data_location() == onnx::TensorProto::EXTERNAL) describe("location", beside, tensor);
    if (format) add_metadata(kDataChecksum, sum, model);
    RETURN_IF_ERROR(write_file(path.parent_path() / beside, data));
  }
  const auto bytes = serialize(model, format);
  if (!bytes) return in_file(path, bytes.error());
  RETURN_IF_ERROR(write_file(path, *bytes));
  for (const fs::path& data : data_of(path)) {
    std::error_code code;  // what cannot be deleted only takes room
    if (data.filename() != beside) fs::remove(data, code);
  }
  return {};
}

}  // namespace concertina::onnx
