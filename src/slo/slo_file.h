#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/machine_state.h"
#include "concertina/result.h"
#include "slo/metric.h"

namespace concertina::slo {

/// What the machine and its users are expected to do at some time.
struct AnticipatedState {
  std::string name;
  std::optional<MachineState> machine;  ///< none: any that no other state is of
  double slow_down = 1;                 ///< runs take that many times what they took when measured
  double arrivals = 0;                  ///< requests of one image a second; 0: one comes after the other
  std::vector<Bound> bounds;            ///< all that hold here

  friend bool operator==(const AnticipatedState&, const AnticipatedState&) = default;
};

/// Service-level objectives: what answers must be, what they are to be, and in which states. Read from a TOML
/// file that docs/slo.md describes.
struct Slo {
  /// More would make neither the search for few designs nor the reading of its result easier.
  static constexpr std::size_t kMaxStates = 24;
  static constexpr std::size_t kMaxBounds = 16;  ///< of one state
  static constexpr std::size_t kMaxObjectives = 16;
  static constexpr double kMaxSlowDown = 1000;

  double switch_margin = 0.1;            ///< share of a slow-down by which measured ones waver
  std::vector<Objective> soft;           ///< none: accuracy alone
  std::vector<AnticipatedState> states;  ///< at least one

  /// The bytes are not trusted. Fails, naming `source` and mostly the line, if they are not TOML, a key is
  /// unknown, a number is out of its range, or two states could not be told apart.
  static Result<Slo> parse(std::string_view text, std::string_view source);
  /// The same with a file.
  static Result<Slo> read(const std::filesystem::path& path);

  friend bool operator==(const Slo&, const Slo&) = default;
};

}  // namespace concertina::slo
