#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onnx_subset.pb.h"

namespace concertina::testing {

/// Writes ONNX nodes one after another, named as PyTorch's exporter names them. A method returns the name of
/// the value that its last node makes.
class OnnxBuilder {
 public:
  using Integers = std::vector<std::int64_t>;
  struct Conv {
    int in, out, kernel = 1, stride = 1, groups = 1, dilation = 1;
    bool bias = false;
  };

  explicit OnnxBuilder(int operator_set = 13);

  std::string input(const std::string& name, const Integers& sizes);
  void output(const std::string& value, const std::string& name, const Integers& sizes);

  std::string node(const std::string& type, const std::vector<std::string>& inputs);
  OnnxBuilder& with(const char* attribute, std::int64_t value);
  OnnxBuilder& with(const char* attribute, const Integers& values);
  OnnxBuilder& with(const char* attribute, float value);
  OnnxBuilder& with(const char* attribute, const char* value);
  /// Further outputs of the last node.
  std::string more_output();

  /// Initializers: random of about unit gain for `fan_in`, given numbers, 64-bit integers.
  std::string random(const Integers& sizes, double fan_in, double least = -1, double most = 1);
  std::string floats(const Integers& sizes, const std::vector<float>& values);
  std::string integers(const Integers& values);
  /// One number of an integer type.
  std::string zero_point(onnx::TensorProto::DataType type, int value);

  /// Padding keeps the size of a map but for strides.
  std::string conv(const std::string& x, const Conv& conv);
  std::string norm(const std::string& x, int channels);
  std::string relu(const std::string& x) { return node("Relu", {x}); }
  std::string conv_norm(const std::string& x, const Conv& c) { return norm(conv(x, c), c.out); }
  std::string conv_norm_relu(const std::string& x, const Conv& c) { return relu(conv_norm(x, c)); }
  std::string max_pool(const std::string& x, int kernel, int stride, int pad);
  /// weight [out][in] and a bias.
  std::string linear(const std::string& x, int in, int out);
  /// (x - mean) / sqrt(variance + 1e-5), the variance over other axes if they are given.
  std::string layer_norm_in_parts(const std::string& x, const Integers& axes,
                                  const Integers& of_variance = {});
  /// The value of the last node of this type.
  std::string last(const std::string& type) const;
  /// Global mean, flattened.
  std::string pooled(const std::string& x) { return node("Flatten", {node("GlobalAveragePool", {x})}); }

  std::string finish() const { return model_.SerializeAsString(); }

 private:
  std::string fresh(const std::string& stem);

  onnx::ModelProto model_;
  int count_ = 0;
};

}  // namespace concertina::testing
