#pragma once

#include <string>

#include "report.h"

namespace concertina::bench {

/// A network as the tables name it.
std::string name_of(const std::string& network, int size);

/// The section on int8. Precondition: something was measured in int8.
std::string int8_section(const PeerReport& report);

}  // namespace concertina::bench
