#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "graph/network.h"

namespace concertina {

/// Fails unless check_weights() accepts the weights and every batch norm divides by something positive.
Status check_network(const Network& network);

/// Plain static ONNX, for any runtime: the network with its batch norms folded into its convolutions. Fails
/// if the network is not sound, has opaque nodes or exceeds 2 GB.
Result<std::string> serialize_static(const Network& network);

/// The graph and the weights of an ONNX file, if they are within the ops of a Graph. Of a dynamic model it is
/// the full network; one that is damaged is refused.
Result<Network> parse_network(std::string_view bytes);
Result<Network> read_network(const std::filesystem::path& path);

}  // namespace concertina
