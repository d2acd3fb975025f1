#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Which instructions the kernels use, for tests: through Highway's own hook for them, which is process-wide
/// and changes vector_lanes(). So call it before anything is packed and while no kernel runs.
namespace concertina::kernels {

/// Names of all instruction sets that are compiled in and that this machine has, best first.
std::vector<std::string> target_names();

/// Uses the named instruction set from now on; an empty name goes back to the best one. False, and the best
/// one stays in use, if the machine has none of that name.
[[nodiscard]] bool limit_target(std::string_view name);

/// The same for the named one of bf16_units(), with the machine's best instruction set besides.
[[nodiscard]] bool limit_bf16_unit(std::string_view name);

/// The same for the named one of int8_units(): masks the better ones (masked_units.h), besides those that are
/// masked already.
[[nodiscard]] bool limit_int8_unit(std::string_view name);

}  // namespace concertina::kernels
