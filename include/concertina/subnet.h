#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"

namespace concertina {

/// A sub-net: the number of active channels of each channel dimension, in the order of the graph's
/// dimensions, and the size of the image that it runs on. With width 0 the layers that make the channels are
/// absent, and with them the whole branch, up to the sum that it leads to. A sub-net is a value. No layer
/// stores one: a function that needs a sub-net takes it as an argument.
struct Subnet {
  std::vector<int> widths;
  int resolution = 0;  ///< pixels of the image's shorter side, after it is scaled down; 0: the whole image

  friend auto operator<=>(const Subnet&, const Subnet&) = default;
};

/// True if neither a width nor the resolution of `inner` is greater than that of `outer`. Precondition: both
/// are of one graph.
bool is_nested(const Subnet& inner, const Subnet& outer);

/// The widths in order, and the resolution unless the sub-net runs on the whole image: "16-12-32",
/// "16-12-32@24".
std::string to_string(const Subnet& subnet);

/// Reads what to_string() writes. Fails on any other text.
Result<Subnet> parse_subnet(std::string_view text);

}  // namespace concertina
