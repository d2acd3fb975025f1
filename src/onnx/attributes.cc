#include "onnx/attributes.h"

#include <fmt/format.h>

#include "onnx/tensor.h"

namespace concertina::onnx {

void Attributes::refuse(std::string why) {
  if (status_) status_ = Error{std::move(why)};
}

const onnx::AttributeProto* Attributes::find(std::string_view name,
                                             onnx::AttributeProto::AttributeType type) {
  asked_.insert(name);
  for (const onnx::AttributeProto& attribute : node_.attribute()) {
    if (attribute.name() != name) continue;
    if (attribute.type() == type) return &attribute;
    refuse(fmt::format("its attribute '{}' has the wrong type", name));
  }
  return nullptr;
}

int Attributes::integer(std::string_view name, int otherwise, int least) {
  const onnx::AttributeProto* attribute = find(name, onnx::AttributeProto::INT);
  if (attribute == nullptr) return otherwise;
  if (attribute->i() < least || attribute->i() > kMaxSize) {
    refuse(fmt::format("its attribute '{}' is {}, which is not between {} and {}", name, attribute->i(),
                       least, kMaxSize));
    return otherwise;
  }
  return static_cast<int>(attribute->i());
}

std::vector<int> Attributes::integers(std::string_view name, const std::vector<int>& otherwise, int least) {
  const onnx::AttributeProto* attribute = find(name, onnx::AttributeProto::INTS);
  if (attribute == nullptr) return otherwise;
  std::vector<int> values;
  for (const std::int64_t value : attribute->ints()) {
    if (value >= least && value <= kMaxSize) values.push_back(static_cast<int>(value));
  }
  if (values.size() == otherwise.size() && attribute->ints_size() == static_cast<int>(values.size()))
    return values;
  refuse(fmt::format("its attribute '{}' must be {} whole numbers between {} and {}", name, otherwise.size(),
                     least, kMaxSize));
  return otherwise;
}

float Attributes::real(std::string_view name, float otherwise) {
  const onnx::AttributeProto* attribute = find(name, onnx::AttributeProto::FLOAT);
  return attribute == nullptr ? otherwise : attribute->f();
}

void Attributes::expect(std::string_view name, std::int64_t otherwise, std::int64_t wanted) {
  const onnx::AttributeProto* attribute = find(name, onnx::AttributeProto::INT);
  const std::int64_t value = attribute == nullptr ? otherwise : attribute->i();
  if (value != wanted) {
    refuse(fmt::format("its attribute '{}' is {}, but only {} is supported", name, value, wanted));
  }
}

std::string Attributes::text(std::string_view name, std::string_view otherwise) {
  const onnx::AttributeProto* attribute = find(name, onnx::AttributeProto::STRING);
  return attribute == nullptr ? std::string(otherwise) : attribute->s();
}

std::vector<std::int64_t> Attributes::list(std::string_view name) {
  const onnx::AttributeProto* attribute = find(name, onnx::AttributeProto::INTS);
  if (attribute == nullptr) return {};
  return {attribute->ints().begin(), attribute->ints().end()};
}

std::vector<float> Attributes::reals(std::string_view name) {
  const onnx::AttributeProto* attribute = find(name, onnx::AttributeProto::FLOATS);
  if (attribute == nullptr) return {};
  return {attribute->floats().begin(), attribute->floats().end()};
}

Status Attributes::done() const {
  if (!status_) return status_;
  for (const onnx::AttributeProto& attribute : node_.attribute()) {
    if (!asked_.contains(attribute.name())) {
      return Error{fmt::format("its attribute '{}' is not supported", attribute.name())};
    }
  }
  return {};
}

}  // namespace concertina::onnx
