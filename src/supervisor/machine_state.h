#pragma once

#include <array>
#include <string_view>

namespace concertina::supervisor {

/// What the supervisor says of the machine, and what rules are made for; from the best to the worst. Stored
/// by name.
enum class MachineState {
  normal,
  busy,       ///< others want the processors too: CPU pressure
  saving,     ///< it has been told to use little power, or its frequency is held down
  throttled,  ///< the container's share of the processors is used up
  hot,        ///< near the temperature at which the processor protects itself
};

inline constexpr std::array<std::string_view, 5> kMachineStates = {"normal", "busy", "saving", "throttled",
                                                                   "hot"};

constexpr std::string_view name_of(MachineState state) {
  return kMachineStates[static_cast<std::size_t>(state)];
}

}  // namespace concertina::supervisor
