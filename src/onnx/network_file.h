#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/network.h"

namespace concertina::onnx {

/// The most bytes of one ONNX file: protobuf's limit, 2 GB.
inline constexpr std::size_t kMostBytes = std::numeric_limits<int>::max();

/// ONNX of the network as it is, batch norms and all: what a recipe takes. Fails as serialize_static() does.
Result<std::string> serialize_network(const Network& network);

/// Plain static ONNX, for any runtime: the network with its batch norms folded into its convolutions. Fails
/// if the network is not sound, has opaque nodes or exceeds 2 GB.
Result<std::string> serialize_static(const Network& network);

/// The same with a file. Above 2 GB the arrays are kept in another one beside it, as write_onnx() does.
Status write_network(const std::filesystem::path& path, const Network& network);
Status write_static(const std::filesystem::path& path, const Network& network);

/// A node of an ONNX file that is not understood.
struct NotUnderstood {
  std::string node;
  std::string op;
  std::string reason;
};

/// What an ONNX file by another program holds.
struct ImportedNetwork {
  Network network;
  std::vector<NotUnderstood> opaque = {};  ///< nodes that are op::Opaque in the graph
  std::vector<std::string> left_off = {};  ///< nodes at its end that no sub-net needs, such as an ArgMax
  std::vector<std::string> untied =
      {};             ///< sentences on arrays that the file shares and the network does not
  int unrounded = 0;  ///< values that the file rounds to 8 bits (QuantizeLinear), and the network only limits
};

struct ImportOptions {
  /// Takes the place of the first input's shape, of which ONNX may leave rows and columns open.
  std::optional<Shape> input = {};
  /// Nodes that are not understood become op::Opaque where the file tells the shape of what they make;
  /// otherwise they are an error.
  bool opaque = false;
};

/// Reads a file that its owner trusts, and those beside it in which it keeps values: it may make large
/// constants out of few bytes. Fails, naming the file and the node, if it cannot be read or is not
/// understood.
Result<ImportedNetwork> import_network(const std::filesystem::path& path, const ImportOptions& options = {});

/// Changes with any byte that import_network() reads of a file and of those in which it keeps values.
Result<std::uint64_t> hash_network(const std::filesystem::path& path);

/// The graph and the weights of an ONNX file, if they are within the ops of a Graph. Of a dynamic model it is
/// the full network; one that is damaged is refused.
Result<Network> parse_network(std::string_view bytes);

}  // namespace concertina::onnx
