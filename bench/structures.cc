#include "structures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "structure_families.h"

namespace concertina::bench {
namespace {

struct Structure {
  std::string_view name;
  void (*add_layers)(StructureLayers& net, int classes);
};

constexpr Structure kStructures[] = {{"resnet50", add_resnet50},
                                     {"resnext50_32x4d", add_resnext50},
                                     {"regnet_y_400mf", add_regnet_y_400mf},
                                     {"convnext_tiny", add_convnext_tiny},
                                     {"densenet121", add_densenet121},
                                     {"googlenet", add_googlenet},
                                     {"squeezenet1_1", add_squeezenet},
                                     {"unet", add_unet},
                                     {"mobilenet_v2", add_mobilenet_v2},
                                     {"mobilenet_v3_large", add_mobilenet_v3_large},
                                     {"efficientnet_b0", add_efficientnet_b0},
                                     {"shufflenet_v2_x1_0", add_shufflenet_v2}};

}  // namespace

std::vector<std::string> structure_names() {
  std::vector<std::string> names;
  for (const Structure& structure : kStructures) names.emplace_back(structure.name);
  return names;
}

bool is_structure(std::string_view name) {
  return std::any_of(std::begin(kStructures), std::end(kStructures),
                     [&](const Structure& structure) { return structure.name == name; });
}

Result<Graph> make_structure(std::string_view name, int size, int classes) {
  for (const Structure& structure : kStructures) {
    if (structure.name != name) continue;
    StructureLayers net({3, size, size});
    structure.add_layers(net, classes);
    return std::move(net).build();
  }
  return Error{
      fmt::format("there is no structure '{}'; choose one of: {}", name, fmt::join(structure_names(), ", "))};
}

}  // namespace concertina::bench
