#include "onnx/constant.h"

#include <fmt/format.h>

#include <algorithm>

#include "onnx/tensor.h"

namespace concertina::onnx {

std::optional<int> Constant::stored_type() const {
  return stored_.proto ? std::optional(static_cast<int>(stored_.proto->data_type())) : std::nullopt;
}

Result<std::vector<int>> Constant::sizes(int rank) const {
  std::vector<std::int64_t> dims;
  if (folded_) dims.assign(folded_->shape.begin(), folded_->shape.end());
  if (stored_.proto) dims.assign(stored_.proto->dims().begin(), stored_.proto->dims().end());
  const bool sensible =
      std::all_of(dims.begin(), dims.end(), [](std::int64_t size) { return size >= 1 && size <= kMaxSize; });
  if (sensible && static_cast<int>(dims.size()) == rank) return std::vector<int>(dims.begin(), dims.end());
  return Error{
      fmt::format("its constant '{}' does not have {} sizes between 1 and {}", name(), rank, kMaxSize)};
}

Result<Array> Constant::floats() const {
  const bool plain = stored_.proto && stored_.proto->data_type() == onnx::TensorProto::FLOAT;
  auto array = plain ? read_tensor(stored_) : Result<Array>(Array{});
  if (plain && array) return array;
  if (plain) return Error{fmt::format("array '{}': {}", name(), array.error().message)};
  auto values = tensor();
  if (!values) return values.error();
  return to_array(**values);
}

Result<std::shared_ptr<const FoldedTensor>> Constant::tensor() const {
  if (folded_) return folded_;
  if (!stored_.proto) return Error{"a constant input that it needs is left out"};
  auto read = read_folded(stored_);
  if (read) return std::make_shared<const FoldedTensor>(std::move(read).value());
  return Error{fmt::format("array '{}': {}", name(), read.error().message)};
}

Result<double> Constant::scalar() const {
  if (count() != 1) return Error{fmt::format("its constant '{}' is not one number", name())};
  const auto values = tensor();
  if (!values) return values.error();
  return (*values)->values[0];
}

std::int64_t Constant::count() const {
  constexpr std::int64_t kMany = std::int64_t{1} << 36;  // times kMaxSize it still fits
  std::int64_t count = 1;
  const auto multiply = [&](std::int64_t size) {
    count = std::min(count * std::clamp<std::int64_t>(size, 0, kMaxSize + 1), kMany);
  };
  if (folded_) std::for_each(folded_->shape.begin(), folded_->shape.end(), multiply);
  if (stored_.proto) std::for_each(stored_.proto->dims().begin(), stored_.proto->dims().end(), multiply);
  return count;
}

std::string Constant::name() const {
  return stored_.proto ? stored_.proto->name() : "(computed)";
}

}  // namespace concertina::onnx
