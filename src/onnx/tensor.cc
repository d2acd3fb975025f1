#include "onnx/tensor.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "base/try.h"

namespace concertina::onnx {
namespace {

Result<std::vector<int>> read_shape(const onnx::TensorProto& tensor) {
  std::vector<int> shape;
  for (const std::int64_t size : tensor.dims()) {
    if (size < 1 || size > kMaxSize) {
      return Error{fmt::format("its size {} is not between 1 and {}", size, kMaxSize)};
    }
    shape.push_back(static_cast<int>(size));
  }
  return shape;
}

}  // namespace

void write_tensor(const std::string& name, const Array& array, onnx::TensorProto& tensor) {
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const int size : array.shape) tensor.add_dims(size);
  tensor.set_raw_data(to_little_endian(array.values));
}

void write_integers(const std::string& name, const std::vector<std::int64_t>& values,
                    onnx::TensorProto& tensor) {
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  for (const std::int64_t value : values) tensor.add_int64_data(value);
}

Result<Array> read_tensor(const TensorView& view) {
  const onnx::TensorProto& tensor = *view.proto;
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    return Error{"its values are in another file"};
  }
  if (tensor.data_type() != onnx::TensorProto::FLOAT) {
    return Error{
        fmt::format("its data type is number {}, but only 32-bit floats (1) are read", tensor.data_type())};
  }
  ASSIGN_OR_RETURN(auto shape, read_shape(tensor));
  if (view.left_out) return Array{std::move(shape), {}};
  const std::string_view raw = view.raw_data;
  const std::size_t bytes = raw.empty() ? static_cast<std::size_t>(tensor.float_data_size()) * 4 : raw.size();
  std::size_t left = bytes / 4;  // by dividing, as a product could overflow
  bool whole = bytes % 4 == 0 && left > 0;
  for (const int size : shape) {
    whole = whole && left % static_cast<std::size_t>(size) == 0;
    left /= static_cast<std::size_t>(size);
  }
  if (!whole || left != 1) return Error{fmt::format("it holds {} bytes, which do not fill its shape", bytes)};
  if (!raw.empty()) return Array{std::move(shape), from_little_endian(raw)};
  return Array{std::move(shape), {tensor.float_data().begin(), tensor.float_data().end()}};
}

}  // namespace concertina::onnx
