#include "onnx/inline_functions.h"

#include <fmt/format.h>

#include <string>
#include <unordered_map>

#include "base/try.h"

namespace concertina::onnx {
namespace {

constexpr int kDeepest = 32;
constexpr int kMostNodes = 1 << 18;  // that come of calls

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

std::string key(const std::string& domain, const std::string& name, const std::string& overload) {
  return domain + '\n' + name + '\n' + overload;
}

class Inliner {
 public:
  Inliner(const onnx::ModelProto& model, Nodes& nodes) : nodes_(nodes) {
    for (const onnx::FunctionProto& function : model.functions())
      functions_.emplace(key(function.domain(), function.name(), function.overload()), &function);
  }

  Status add(const onnx::NodeProto& node, int depth) {
    const auto found = functions_.find(key(node.domain(), node.op_type(), node.overload()));
    if (found == functions_.end()) {
      if (depth > 0 && ++added_ > kMostNodes) return Error{"functions of the file make too many nodes"};
      *nodes_.Add() = node;
      return {};
    }
    if (depth == kDeepest) {
      return Error{fmt::format("node '{}': functions call each other without end", node.name())};
    }
    return add_body(*found->second, node, depth);
  }

 private:
  using Names = std::unordered_map<std::string, std::string>;

  Status add_body(const onnx::FunctionProto& function, const onnx::NodeProto& call, int depth) {
    const std::string prefix =
        (call.name().empty() && call.output_size() > 0 ? call.output(0) : call.name()) + '/';
    Names names = {{"", ""}};
    for (int i = 0; i < function.input_size(); ++i)
      names.emplace(function.input(i), i < call.input_size() ? call.input(i) : "");
    for (int i = 0; i < function.output_size() && i < call.output_size(); ++i) {
      if (!call.output(i).empty()) names.emplace(function.output(i), call.output(i));
    }
    const auto outside = [&](const std::string& name) {
      const auto known = names.find(name);
      return known == names.end() ? prefix + name : known->second;
    };
    for (const onnx::NodeProto& inner : function.node()) {
      onnx::NodeProto node = inner;
      if (!node.name().empty()) node.set_name(prefix + node.name());
      for (std::string& input : *node.mutable_input()) input = outside(input);
      for (std::string& output : *node.mutable_output()) output = outside(output);
      node.clear_attribute();
      for (const onnx::AttributeProto& attribute : inner.attribute()) {
        if (const onnx::AttributeProto* given = value_of(attribute, function, call)) {
          onnx::AttributeProto& added = *node.add_attribute();
          added = *given;
          added.set_name(attribute.name());
        }
      }
      RETURN_IF_ERROR(add(node, depth + 1));
    }
    return {};
  }

  /// An attribute may stand for one of the call, or for its default; null if neither is there.
  static const onnx::AttributeProto* value_of(const onnx::AttributeProto& attribute,
                                              const onnx::FunctionProto& function,
                                              const onnx::NodeProto& call) {
    if (attribute.ref_attr_name().empty()) return &attribute;
    for (const auto* list : {&call.attribute(), &function.attribute_proto()}) {
      for (const onnx::AttributeProto& given : *list) {
        if (given.name() == attribute.ref_attr_name()) return &given;
      }
    }
    return nullptr;
  }

  Nodes& nodes_;
  std::unordered_map<std::string, const onnx::FunctionProto*> functions_;
  int added_ = 0;
};

}  // namespace

Status inline_functions(onnx::ModelProto& model) {
  if (model.functions().empty()) return {};
  Nodes nodes(model.GetArena());
  Inliner inliner(model, nodes);
  for (const onnx::NodeProto& node : model.graph().node()) RETURN_IF_ERROR(inliner.add(node, 0));
  model.mutable_graph()->mutable_node()->Swap(&nodes);
  return {};
}

}  // namespace concertina::onnx
