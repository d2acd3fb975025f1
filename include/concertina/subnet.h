#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"

namespace concertina {

/// A sub-net: how many channels of each channel dimension are active, in the order of the graph's
/// dimensions. Sub-nets are values. No layer remembers one: whoever needs a sub-net is given it.
struct Subnet {
  std::vector<int> widths;

  friend bool operator==(const Subnet&, const Subnet&) = default;
};

/// True if every width of `inner` is at most that of `outer`. Both must describe the same graph.
bool is_nested(const Subnet& inner, const Subnet& outer);

/// "16-12-32": the widths in order, the form that parse_subnet() reads.
std::string to_string(const Subnet& subnet);
Result<Subnet> parse_subnet(std::string_view text);

}  // namespace concertina
