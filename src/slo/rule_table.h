#pragma once

#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "slo/designs.h"

namespace concertina::slo {

/// When a design is in force.
struct Rule {
  std::string name;                     ///< of the anticipated state
  std::optional<MachineState> machine;  ///< none: any that no other rule is of
  /// It ends where the slow-down reaches this, and begins where the rule before it of the same machine state
  /// ends. Infinite in the last.
  double up_to = std::numeric_limits<double>::infinity();
  /// From a later rule of the same machine state one comes back only below this, which is less than up_to.
  double back_below = std::numeric_limits<double>::infinity();
  int design = 0;           ///< an index of RuleTable::designs
  double min_accuracy = 0;  ///< the hard bound on it, for Budget::min_accuracy
  bool feasible = true;     ///< the design meets the hard bounds
  std::string note = {};    ///< what it violates, in words

  friend bool operator==(const Rule&, const Rule&) = default;
};

/// A sub-net as the model that the plan is of has it.
struct PlannedSubnet {
  Subnet subnet;
  double accuracy = 0;

  friend bool operator==(const PlannedSubnet&, const PlannedSubnet&) = default;
};

/// A few designs and when each is in force, solved before and looked up at run time (as CARIn does:
/// Panopoulos, Venieris, Venieris 2024). Stored beside the model, as <model>.plan.json:
///
///   {"concertina_plan": 1, "machine": {"cpu": "...", "instruction_set": "AVX3"}, "precision": "fp32",
///    "subnets": [{"widths": "16-12", "accuracy": 0.91}, ...],
///    "designs": [{"subnet": 0, "threads": 1, "batch": 1}, ...],
///    "rules": [{"name": "quiet", "machine": "normal", "up_to": 1.5, "back_below": 1.36, "design": 0,
///    "min_accuracy": 0.85, "feasible": true, "note": ""}, ...]}
struct RuleTable {
  static constexpr std::size_t kMaxDesigns = 8;

  latency::MeasuredMachine machine;  ///< its cpu and instruction_set
  Precision precision = Precision::fp32;
  std::vector<PlannedSubnet> subnets;  ///< of the model, all of them
  std::vector<Design> designs;         ///< 1 .. kMaxDesigns
  std::vector<Rule> rules;  ///< those of one machine state side by side, in the order of their slow-downs

  /// The bytes are not trusted.
  static Result<RuleTable> parse(std::string_view text);
  /// The same with a file; errors name it.
  static Result<RuleTable> read(const std::filesystem::path& path);
  /// The same if check_model() and, unless `other_machine`, check_machine() accept it.
  static Result<RuleTable> read_for(const std::filesystem::path& path, const Model& model,
                                    bool other_machine);
  std::string to_json() const;

  /// Fails, saying why, unless the table was made for a model with these sub-nets.
  Status check_model(std::span<const SubnetInfo> model, Precision wanted) const;
  /// Fails, saying why, unless it was made for a machine like this one.
  Status check_machine() const;

  /// The rule for a machine in `state` whose runs take `slow_down` times what they took when measured;
  /// `current` is the one in force, -1 at first. A state without rules takes those of any machine, else of
  /// the next worse state that has some, else of the next better one; a slow-down that is not a number is
  /// the worst. Does not allocate. Precondition: rules is not empty.
  int rule(MachineState state, double slow_down, int current = -1) const;

  /// The same's design.
  const Design& design(MachineState state, double slow_down, int current = -1) const {
    const Rule& found = rules[rule(state, slow_down, current)];
    return designs[found.design];
  }

  friend bool operator==(const RuleTable& a, const RuleTable& b) = default;
};

/// The table of a solution. A rule ends at the slow-down up to which its design meets the bounds, but not
/// before its state's own slow-down by switch_margin, which measured ones waver by, and not after that of the
/// next state of the same machine. One comes back to it where there are switch_margin to its end, or, if its
/// stretch is short, half of it (in ratios). `measured`: what the solution's candidates were made of.
RuleTable make_rule_table(const Slo& slo, const Solution& solution, std::span<const SubnetInfo> subnets,
                          const latency::LatencyTable& measured);

/// "no design is feasible: p99 latency of 12 ms exceeds 8 ms by 4 ms (50.0 %)"; empty if the state's bounds
/// are met.
std::string describe_violation(const AnticipatedState& state, const Solution& solution,
                               const StateOutcome& outcome);

}  // namespace concertina::slo
