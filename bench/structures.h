#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

/// Well-known networks as graphs for inference, to measure: as torchvision builds them, and a U-Net.
namespace concertina::bench {

std::vector<std::string> structure_names();
bool is_structure(std::string_view name);

/// For square images of three channels. `classes`: numbers for each image; for each pixel in "unet", whose
/// output is a map. Fails if the name is none of structure_names() or the images are too small.
Result<Graph> make_structure(std::string_view name, int size, int classes);

}  // namespace concertina::bench
