#include "graph/networks/networks.h"

#include <fmt/format.h>

#include "base/text.h"
#include "graph/networks/plain.h"
#include "graph/networks/resnet.h"

namespace concertina {
namespace {

/// The depth of "resnet20", or 0 if `name` is no such name.
int resnet_depth(std::string_view name) {
  constexpr std::string_view kPrefix = "resnet";
  if (!name.starts_with(kPrefix)) return 0;
  const int depth = parse_number<int>(name.substr(kPrefix.size())).value_or(0);
  return depth <= 2000 ? depth : 0;
}

}  // namespace

std::string known_networks() {
  return "resnet8, resnet14, resnet20, ... (6n+2), resnet18, vgg11, alexnet, mobilenet_v1";
}

Result<Graph> make_network(const NetworkSpec& spec) {
  if (!(spec.width > 0 && spec.width <= 64)) {
    return Error{fmt::format("network width {} is not in (0, 64]", spec.width)};
  }
  if (spec.classes < 2)
    return Error{fmt::format("{} classes cannot be told apart; at least 2 are needed", spec.classes)};
  if (spec.name == "resnet18") return networks::resnet(spec, {2, 2, 2, 2}, 64);
  if (spec.name == "vgg11") return networks::vgg11(spec);
  if (spec.name == "alexnet") return networks::alexnet(spec);
  if (spec.name == "mobilenet_v1") return networks::mobilenet_v1(spec);
  const int depth = resnet_depth(spec.name);
  if (depth >= 8 && depth % 6 == 2) return networks::resnet(spec, std::vector<int>(3, (depth - 2) / 6), 16);
  return Error{
      fmt::format("there is no built-in network '{}'; choose one of: {}", spec.name, known_networks())};
}

}  // namespace concertina
