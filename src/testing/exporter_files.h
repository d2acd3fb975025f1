#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace concertina::testing {

/// Small networks of the structures that people bring, as PyTorch's exporter and older ones write them, with
/// random weights: for the tests of all that reads such files.
std::vector<std::string> test_networks();

/// The ONNX file of one of them.
std::string test_network(std::string_view name);

/// Whether its image is N x H x W x C.
bool takes_pixels_first(std::string_view name);

}  // namespace concertina::testing
