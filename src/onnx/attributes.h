#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"
#include "onnx_subset.pb.h"

namespace concertina::onnx {

/// The attributes of a node, read strictly: done() fails at the first that had a wrong type or value, and if
/// there is one that nobody asked for. Until then the getters answer something harmless. Holds a reference to
/// the node.
class Attributes {
 public:
  explicit Attributes(const onnx::NodeProto& node) : node_(node) {}

  /// Between `least` and 2^24.
  int integer(std::string_view name, int otherwise, int least = 0);
  std::vector<int> integers(std::string_view name, const std::vector<int>& otherwise, int least);
  float real(std::string_view name, float otherwise);
  std::string text(std::string_view name, std::string_view otherwise);
  /// Of any length and size; none if there is no such attribute.
  std::vector<std::int64_t> list(std::string_view name);
  std::vector<float> reals(std::string_view name);
  /// Accepts the attribute, whatever it says.
  void ignore(std::string_view name) { asked_.insert(name); }

  /// Refuses the node if the attribute, or its default, is not `wanted`.
  void expect(std::string_view name, std::int64_t otherwise, std::int64_t wanted);

  Status done() const;

 private:
  const onnx::AttributeProto* find(std::string_view name, onnx::AttributeProto::AttributeType type);
  void refuse(std::string why);

  const onnx::NodeProto& node_;
  std::set<std::string_view> asked_;
  Status status_;
};

}  // namespace concertina::onnx
