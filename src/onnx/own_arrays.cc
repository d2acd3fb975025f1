#include "onnx/own_arrays.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "graph/branches.h"

namespace concertina::onnx {
namespace {

std::size_t bytes_of(const OwnArray& array) {
  std::size_t count = sizeof(float);
  for (const int size : array.sizes) count *= static_cast<std::size_t>(size);
  return count;
}

template <typename Wanted>
std::vector<OwnArray> arrays_of(const Graph& graph, const Subnet& subnet, Wanted wanted) {
  std::vector<OwnArray> arrays;
  const std::vector<bool> absent = absent_nodes(graph, subnet);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (absent[id]) continue;
    for (const Parameter& parameter : parameters(graph, id)) {
      std::string name = parameter_name(graph.node(id), parameter);
      if (!wanted(parameter, name)) continue;
      arrays.push_back({std::move(name), active_sizes(graph, id, parameter, subnet)});
    }
  }
  return arrays;
}

}  // namespace

std::vector<OwnArray> statistics_of(const Graph& graph, const Subnet& subnet) {
  return arrays_of(graph, subnet,
                   [](const Parameter& parameter, const std::string&) { return !parameter.trainable; });
}

std::vector<OwnArray> parameters_among(const Graph& graph, const Subnet& subnet,
                                       const std::vector<std::string>& names) {
  return arrays_of(graph, subnet, [&](const Parameter& parameter, const std::string& name) {
    return parameter.trainable && std::find(names.begin(), names.end(), name) != names.end();
  });
}

std::string pack_arrays(const std::vector<OwnArray>& arrays, const Weights& from) {
  std::string bytes;
  for (const OwnArray& array : arrays) bytes += to_little_endian(from.at(array.name).values);
  return to_base64(bytes);
}

Status unpack_arrays(std::string_view text, const std::vector<OwnArray>& arrays, Weights& to) {
  const auto bytes = from_base64(text);
  if (!bytes) return Error{"is not base64"};
  std::size_t expected = 0;
  for (const OwnArray& array : arrays) expected += bytes_of(array);
  if (bytes->size() != expected) {
    return Error{fmt::format("has {} bytes where its sub-net needs {}", bytes->size(), expected)};
  }
  std::string_view rest = *bytes;
  for (const OwnArray& array : arrays) {
    const std::size_t length = bytes_of(array);
    to.emplace(array.name, Array{array.sizes, from_little_endian(rest.substr(0, length))});
    rest.remove_prefix(length);
  }
  return {};
}

}  // namespace concertina::onnx
