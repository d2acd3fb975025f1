#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "onnx/folding.h"

namespace concertina::onnx {

/// An input of a node that is no value of an image: an array of the file, which is read when it is asked for,
/// or one that was computed from such.
class Constant {
 public:
  Constant() = default;  ///< left out
  explicit Constant(const TensorView& stored) : stored_(stored) {}
  /// `origin`: of the constant that it was computed from, if that is known.
  explicit Constant(FoldedTensor tensor, const void* origin = nullptr)
      : folded_(std::make_shared<const FoldedTensor>(std::move(tensor))), origin_(origin) {}

  bool left_out() const { return !stored_.proto && !folded_; }

  /// Fails, with its name, if it has not `rank` sizes between 1 and kMaxSize.
  Result<std::vector<int>> sizes(int rank) const;

  /// The type in the file (onnx::TensorProto::DataType); nothing if it was computed.
  std::optional<int> stored_type() const;

  /// As floats, of whatever shape; or, for folding, as it is. Fails with its name.
  Result<Array> floats() const;
  Result<std::shared_ptr<const FoldedTensor>> tensor() const;

  /// One number. Fails if it is not one.
  Result<double> scalar() const;

  /// Tells arrays of the file apart, also once something was computed from them; null if it is left out.
  const void* origin() const {
    return origin_ ? origin_ : stored_.proto ? static_cast<const void*>(stored_.proto) : folded_.get();
  }

  /// How many values it has, as far as its shape says; from 2^36 on, only that they are so many.
  std::int64_t count() const;

 private:
  std::string name() const;

  TensorView stored_;
  std::shared_ptr<const FoldedTensor> folded_;
  const void* origin_ = nullptr;
};

}  // namespace concertina::onnx
