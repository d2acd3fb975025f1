#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace concertina {

/// What state a machine is in, from the best to the worst.
enum class MachineState {
  normal,
  busy,       ///< other programs want the processors too
  saving,     ///< it has been told to use little power, or its frequency is held down
  throttled,  ///< the container's share of the processors is used up
  hot,        ///< near the temperature at which the processor protects itself
};

/// How files and command lines write a MachineState.
inline constexpr std::array<std::string_view, 5> kMachineStates = {"normal", "busy", "saving", "throttled",
                                                                   "hot"};

constexpr std::string_view name_of(MachineState state) {
  return kMachineStates[static_cast<std::size_t>(state)];
}

}  // namespace concertina
